import { describe, expect, it } from 'vitest';
import { remoteSettings } from '../../pipeline/remote/index.js';

describe('remoteSettings', () => {
  it('takes the address for S3 before the general one, and no value for none', () => {
    expect(remoteSettings({ HOME: '/h', STORMREEL_CACHE: '/c' })).toMatchObject({
      endpoint: null,
      region: null,
      cache: '/c',
    });
    const both = {
      AWS_ENDPOINT_URL: 'http://all:1',
      AWS_ENDPOINT_URL_S3: 'https://s3:2',
      AWS_DEFAULT_REGION: 'eu-1',
    };
    expect(remoteSettings(both)).toMatchObject({ endpoint: 'https://s3:2', region: 'eu-1' });
    expect(remoteSettings({ AWS_ENDPOINT_URL_S3: '', AWS_REGION: '' })).toMatchObject({
      endpoint: null,
      region: null,
    });
  });

  it('keeps 10 GiB of copies unless another number is given, and refuses what is none', () => {
    expect(remoteSettings({}).cacheBytes).toBe(10 * 2 ** 30);
    expect(remoteSettings({ STORMREEL_CACHE_BYTES: '5000' }).cacheBytes).toBe(5000);
    for (const text of ['10G', '-1', '0', '1.5'])
      expect(() => remoteSettings({ STORMREEL_CACHE_BYTES: text })).toThrow(
        expect.objectContaining({ tag: 'ConfigError' }),
      );
  });

  it('refuses an address of no server without showing it', () => {
    for (const text of ['nonsense-secret', 'ftp://host'])
      expect(() => remoteSettings({ AWS_ENDPOINT_URL_S3: text })).toThrow(
        expect.objectContaining({ tag: 'ConfigError', message: expect.not.stringContaining(text) }),
      );
  });
});
