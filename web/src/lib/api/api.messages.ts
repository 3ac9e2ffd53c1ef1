import { dictionary } from '../i18n';

/** What to do about an error of each kind, when the server gave no better words. */
export const t = dictionary(
  {
    offline: '连不上服务器，请检查网络后重试。',
    signed_out: '登录已过期，请重新登录。',
    forbidden: '没有这项权限。',
    missing: '找不到，可能已撤销或改了编码。',
    stale: '内容已被他人更新，请核对后再提交。',
    invalid: '填写有误，请核对后再提交。',
    busy: '服务器正忙，请稍后重试。',
    server: '程序出错，请稍后重试；如持续出现，请告知管理员。',
    withId: '{text}（编号 {id}）',
  },
  {
    offline: 'The server cannot be reached. Check the network and try again.',
    signed_out: 'Your session has ended. Please sign in again.',
    forbidden: 'You are not permitted to do this.',
    missing: 'Not found; it may have been withdrawn or renumbered.',
    stale: 'Somebody changed this in between. Please check, then submit again.',
    invalid: 'Something is not filled in correctly. Please check and submit again.',
    busy: 'The server is busy. Please try again in a moment.',
    server: 'Something went wrong. Try again; if it persists tell the administrator.',
    withId: '{text} (no. {id})',
  },
);
