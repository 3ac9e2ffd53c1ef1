// A form as counties get it, written by hand: a zip of plain parts, nothing compressed.
import { Buffer } from 'node:buffer';

const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const SHEET = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

const text = (cell, words, style = 0) =>
  `<c r="${cell}" s="${style}" t="inlineStr"><is><t>${words}</t></is></c>`;

/** @param {string[]} towns @returns {Buffer} */
export function workbook(towns) {
  const last = 3 + towns.length;
  const columns = ['B', 'C', 'D', 'E', 'F'];
  const headings = [
    '自然村总数（20户以上）',
    '通硬化路自然村数',
    '集中供水自然村数',
    '已完成路面里程（公里）',
    '完成投资（万元）',
  ];
  const rows = [
    `<row r="1">${text('A1', '农村公路硬化建设进展情况表', 1)}</row>`,
    `<row r="2">${text('A2', '填报单位（盖章）：                填表人：            截止日期：    年  月  日')}</row>`,
    `<row r="3">${text('A3', '乡镇', 1)}${columns.map((c, i) => text(`${c}3`, headings[i], 1)).join('')}</row>`,
    ...towns.map(
      (town, i) =>
        `<row r="${4 + i}">${text(`A${4 + i}`, town)}${columns.map((c) => `<c r="${c}${4 + i}" s="2"/>`).join('')}</row>`,
    ),
    `<row r="${last + 1}">${text(`A${last + 1}`, '合计', 1)}${columns
      .map((c) => `<c r="${c}${last + 1}" s="2"><f>SUM(${c}4:${c}${last})</f><v>0</v></c>`)
      .join('')}</row>`,
  ];
  const fonts =
    '<fonts count="2"><font><sz val="11"/><name val="宋体"/></font><font><b/><sz val="11"/><name val="宋体"/></font></fonts>';
  const fills =
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>';
  return zip({
    '[Content_Types].xml': `${HEAD}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${SHEET}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${SHEET}.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="${SHEET}.styles+xml"/></Types>`,
    '_rels/.rels': `${HEAD}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    'xl/workbook.xml': `${HEAD}<workbook ${NS} xmlns:r="${OFFICE}"><sheets><sheet name="附表1" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `${HEAD}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="${OFFICE}/styles" Target="styles.xml"/></Relationships>`,
    'xl/styles.xml': `${HEAD}<styleSheet ${NS}>${fonts}${fills}<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf/><xf fontId="1" applyFont="1"/><xf numFmtId="4" applyNumberFormat="1"/></cellXfs></styleSheet>`,
    'xl/worksheets/sheet1.xml': `${HEAD}<worksheet ${NS}><cols><col min="1" max="1" width="14" customWidth="1"/><col min="2" max="6" width="17" customWidth="1"/></cols><sheetData>${rows.join('')}</sheetData><mergeCells count="2"><mergeCell ref="A1:F1"/><mergeCell ref="A2:F2"/></mergeCells><pageSetup paperSize="9" orientation="landscape"/></worksheet>`,
  });
}

function zip(parts) {
  const files = [];
  const directory = [];
  let at = 0;
  for (const [name, content] of Object.entries(parts)) {
    const [path, body] = [Buffer.from(name), Buffer.from(content)];
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x0800, 2);
    common.writeUInt16LE(33, 8);
    common.writeUInt32LE(crc32(body), 10);
    common.writeUInt32LE(body.length, 14);
    common.writeUInt32LE(body.length, 18);
    common.writeUInt16LE(path.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, path, body]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    const made = Buffer.from([20, 0]);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), made, common, tail, path]));
    files.push(local);
    at += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...files, central, end]);
}

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
