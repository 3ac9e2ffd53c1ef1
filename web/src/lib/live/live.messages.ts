import { dictionary } from '../i18n';

export const t = dictionary(
  {
    connecting: '连接中',
    live: '实时',
    polling: '每 10 秒刷新',
    waiting: '重新连接中',
    offline: '无网络',
    title: '数据更新方式',
  },
  {
    connecting: 'Connecting',
    live: 'Live',
    polling: 'Every 10 s',
    waiting: 'Reconnecting',
    offline: 'Offline',
    title: 'How data is kept up to date',
  },
);
