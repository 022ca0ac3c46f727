/** GDAL's metadata tag: a flat list of items, some of them about one band. */
export interface DescribedBand {
  name?: string;
  unit?: string;
  scale?: number;
  offset?: number;
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Items of the whole map by name, and what is said of each band. */
export function gdalItems(xml: string | undefined): { items: Map<string, string>; bands: DescribedBand[] } {
  const items = new Map<string, string>();
  const bands: DescribedBand[] = [];
  for (const [, attributes, text] of (xml ?? '').matchAll(/<Item\s([^>]*)>([^<]*)<\/Item>/g)) {
    const attribute = (key: string) => new RegExp(`\\b${key}="([^"]*)"`).exec(attributes)?.[1];
    const value = text.replace(/&(\w+);/g, (whole, name) => ENTITIES[name] ?? whole).trim();
    const sample = attribute('sample');
    if (sample === undefined) {
      items.set(attribute('name') ?? '', value);
      continue;
    }
    if (!/^\d{1,3}$/.test(sample)) continue;
    bands[Number(sample)] ??= {};
    const band = bands[Number(sample)];
    const role = attribute('role');
    if (role === 'scale') band.scale = number(value, 1);
    else if (role === 'offset') band.offset = number(value, 0);
    else if (role === 'unittype') band.unit = value;
    else if (role === 'description') band.name = value;
  }
  return { items, bands };
}

/** NaN where the text is no number, which is refused later: a guess would be wrong by a factor. */
const number = (text: string, unsaid: number): number => (text === '' ? unsaid : Number(text));
