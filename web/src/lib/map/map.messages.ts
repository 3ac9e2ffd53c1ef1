import { dictionary } from '$lib/i18n';

export const t = dictionary(
  {
    title: '地图。方向键移动，加减键缩放；同样的内容见台账',
    households: '户',
  },
  {
    title: 'Map. Arrow keys move, plus and minus zoom; the list has the same content',
    households: ' hh',
  },
);
