import { dictionary } from '$lib/i18n';

export const t = dictionary(
  {
    copyLink: '复制链接',
    copied: '链接已复制',
    back: '返回',
    showAll: '全部 {n} 条',
    showLess: '收起',
    source: '来源：{text}',
    updated: '内容已更新',
  },
  {
    copyLink: 'Copy link',
    copied: 'Link copied',
    back: 'Back',
    showAll: 'All {n}',
    showLess: 'Show fewer',
    source: 'Source: {text}',
    updated: 'Updated',
  },
);
