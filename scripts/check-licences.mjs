// Checks that every dependency has a licence under which we may pass the program on. Reads what is
// already here (cargo metadata, package-lock.json); fetches nothing.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

// Licences that ask for no more than their text being passed on. MPL-2.0 holds for its own files
// only, which we do not change.
const ALLOWED = new Set([
  '0BSD', 'Apache-2.0', 'Apache-2.0 WITH LLVM-exception', 'BlueOak-1.0.0', 'BSD-2-Clause',
  'BSD-3-Clause', 'BSL-1.0', 'CC0-1.0', 'CDLA-Permissive-2.0', 'ISC', 'MIT', 'MIT-0', 'MPL-2.0',
  'OpenSSL', 'Unicode-3.0', 'Unicode-DFS-2016', 'Unlicense', 'Zlib', 'bzip2-1.0.6',
]);
// Needed to build or test, never passed on: more is allowed.
const ALLOWED_TO_BUILD = new Set([...ALLOWED, 'CC-BY-4.0', 'CC-BY-3.0', 'Python-2.0', 'LGPL-3.0-or-later']);

/** Whether an SPDX expression can be met: OR needs one side, AND both. */
function isAllowed(expression, allowed) {
  const tokens = expression.replaceAll('/', ' OR ').match(/\(|\)|[^\s()]+/g) ?? [];
  let at = 0;
  const primary = () => {
    if (tokens[at] === '(') {
      at += 1;
      const inner = either();
      at += 1;
      return inner;
    }
    let name = tokens[at++];
    if (tokens[at] === 'WITH') {
      name = `${name} WITH ${tokens[at + 1]}`;
      at += 2;
    }
    return allowed.has(name);
  };
  const both = () => {
    let met = primary();
    while (tokens[at] === 'AND') {
      at += 1;
      met = primary() && met;
    }
    return met;
  };
  const either = () => {
    let met = both();
    while (tokens[at] === 'OR') {
      at += 1;
      met = both() || met;
    }
    return met;
  };
  return tokens.length > 0 && either();
}

const refused = [];
const metadata = JSON.parse(
  execFileSync('cargo', ['metadata', '--format-version', '1', '--locked', '--filter-platform', 'x86_64-unknown-linux-gnu'], {
    maxBuffer: 1 << 28,
    encoding: 'utf8',
  }),
);
const used = new Set(metadata.resolve.nodes.map((node) => node.id));
let crates = 0;
for (const { id, name, version, license } of metadata.packages) {
  if (!used.has(id)) continue;
  crates += 1;
  if (!license || !isAllowed(license, ALLOWED)) refused.push(`crate ${name} ${version}: ${license ?? 'no licence named'}`);
}

const lock = JSON.parse(readFileSync(new URL('../web/package-lock.json', import.meta.url), 'utf8'));
let packages = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  if (path === '' || entry.link) continue;
  packages += 1;
  const allowed = entry.dev ? ALLOWED_TO_BUILD : ALLOWED;
  if (!entry.license || !isAllowed(entry.license, allowed)) {
    refused.push(`package ${path.replace(/^.*node_modules\//, '')} ${entry.version}: ${entry.license ?? 'no licence named'}`);
  }
}

if (refused.length > 0) {
  console.error(`not on the list of allowed licences:\n  ${refused.join('\n  ')}`);
  process.exit(1);
}
console.log(`licences: ${crates} crates and ${packages} packages, all allowed`);
