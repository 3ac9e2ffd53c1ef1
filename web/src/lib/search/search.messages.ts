import { dictionary } from '$lib/i18n';

export const t = dictionary(
  {
    label: '搜索村名、项目名称、编码',
    placeholder: '村名、项目名称、编码',
    results: '搜索结果',
    none: '没有找到“{q}”。可换村名、镇名或编码再试。',
    count: '{n} 条结果，用上下键选择',
    more: '还有更多，请多输几个字',
    failed: '搜索暂时不可用，请重试。',
    clear: '清除',
    'kind.area': '区划',
    'kind.natural_village': '自然村',
    'kind.project': '项目',
  },
  {
    label: 'Search villages, projects, codes',
    placeholder: 'Village, project, code',
    results: 'Search results',
    none: 'Nothing found for “{q}”. Try a village, town or code.',
    count: '{n} {n:result|results}, choose with the arrow keys',
    more: 'There are more: type a little more',
    failed: 'Search is not available now. Please try again.',
    clear: 'Clear',
    'kind.area': 'Area',
    'kind.natural_village': 'Natural village',
    'kind.project': 'Project',
  },
);
