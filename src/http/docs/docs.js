// Reads /api/openapi.json and lists operations, parameters, schemas and error codes.
'use strict';

const content = document.getElementById('content');
const index = document.getElementById('index');

/** An element with attributes and children; text is set as text, never as markup. */
function el(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  for (const child of children.flat()) if (child != null) node.append(child);
  return node;
}

const refName = (ref) => ref.split('/').pop();

/** A type in words: "string (date)", "ProjectRow[]", "number | null". Named schemas are links. */
function type(schema) {
  if (!schema) return '';
  if (schema.$ref) return [el('a', { href: '#schema-' + refName(schema.$ref) }, refName(schema.$ref))];
  const many = schema.oneOf || schema.anyOf || schema.allOf;
  if (many) return many.flatMap((s, i) => (i ? [schema.allOf ? ' & ' : ' | ', type(s)] : [type(s)])).flat();
  const types = [].concat(schema.type || (schema.properties ? 'object' : 'any'));
  return types.flatMap((t, i) => {
    const before = i ? [' | '] : [];
    if (t === 'array') return [...before, ...[].concat(type(schema.items || {})), '[]'];
    return [...before, t + (schema.format ? ' (' + schema.format + ')' : '')];
  });
}

function rows(head, lines) {
  if (!lines.length) return null;
  return el('table', {}, el('tr', {}, head.map((h) => el('th', { scope: 'col' }, h))),
    lines.map((line) => el('tr', {}, line.map((cell) => el('td', {}, cell)))));
}

/** All properties, those of allOf parts too. */
function properties(schema) {
  if (!schema) return [];
  if (schema.allOf) return schema.allOf.flatMap((part) => (part.$ref ? [['…', part, false]] : properties(part)));
  return Object.entries(schema.properties || {}).map(([name, s]) => [name, s, (schema.required || []).includes(name)]);
}

function operation(path, verb, op) {
  const body = op.requestBody && Object.values(op.requestBody.content || {})[0];
  const answers = Object.entries(op.responses || {}).map(([status, r]) => {
    const media = r.content && Object.values(r.content)[0];
    return [el('code', {}, status), r.description || '', media ? type(media.schema) : ''];
  });
  return el('details', { 'data-text': (verb + ' ' + path + ' ' + (op.summary || '')).toLowerCase() },
    el('summary', {}, el('span', { class: 'verb' }, verb.toUpperCase()), el('code', {}, path), el('span', { class: 'say' }, op.summary || '')),
    op.description && op.description !== op.summary ? el('p', {}, op.description) : null,
    (op.parameters || []).length ? el('h3', {}, '参数 Parameters') : null,
    rows(['名称', '位置', '类型', '说明'], (op.parameters || []).map((p) =>
      [el('code', {}, p.name + (p.required ? ' *' : '')), p.in, type(p.schema), p.description || ''])),
    body ? el('h3', {}, '请求体 Body') : null,
    body ? el('p', { class: 'body' }, type(body.schema)) : null,
    el('h3', {}, '响应 Responses'),
    rows(['状态', '说明', '内容'], answers));
}

async function show() {
  const [api, errors] = await Promise.all(
    ['/api/openapi.json', '/api/errors.json'].map((url) => fetch(url).then((r) => r.json())));
  content.replaceChildren();
  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths || {})) {
    for (const [verb, op] of Object.entries(item)) {
      if (!['get', 'post', 'put', 'patch', 'delete'].includes(verb)) continue;
      const tag = (op.tags || ['其他'])[0];
      groups.set(tag, [...(groups.get(tag) || []), operation(path, verb, op)]);
    }
  }
  const section = (id, title, nodes) => {
    index.append(el('a', { href: '#' + id }, title));
    content.append(el('section', {}, el('h2', { id }, title), nodes));
  };
  for (const [tag, nodes] of groups) section('tag-' + tag.replaceAll(' ', '-'), tag, nodes);
  section('schemas', '数据结构 Schemas', Object.entries((api.components || {}).schemas || {}).map(([name, schema]) =>
    el('details', { id: 'schema-' + name, 'data-text': name.toLowerCase() },
      el('summary', {}, el('code', {}, name), el('span', { class: 'say' }, schema.description || '')),
      rows(['字段', '类型', '说明'], properties(schema).map(([field, s, required]) =>
        [el('code', {}, field + (required ? ' *' : '')), type(s), s.description || ''])))));
  section('errors', '错误代码 Error codes', [rows(['代码', '状态', '含义'], errors.map((e) =>
    [el('code', { id: 'error-' + e.code }, e.code), String(e.status), e.title]))]);
  openTarget();
}

/** A link to a schema opens it. */
function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.tagName === 'DETAILS') target.open = true;
  target.scrollIntoView();
}

document.getElementById('filter').addEventListener('input', (event) => {
  const wanted = event.target.value.trim().toLowerCase();
  for (const item of content.querySelectorAll('details')) item.hidden = !item.dataset.text.includes(wanted);
});
addEventListener('hashchange', openTarget);
show().catch((error) => { content.textContent = '读取失败：' + error; });
