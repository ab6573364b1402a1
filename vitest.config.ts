import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** What depends on nothing that other files leave behind shares its modules and its device with them: loading them costs a second a file. */
const sharing = [
  'bench',
  'codegen',
  'data',
  'goldens',
  'io',
  'lang',
  'nn',
  'optim',
  'passes',
  'random',
  'testing',
  'train',
].map((d) => `test/${d}/**/*.test.ts`)

const config: ViteUserConfig = defineConfig({
  resolve: { conditions: ['tensorloom-source'] },
  ssr: { resolve: { conditions: ['tensorloom-source'] } },
  test: {
    // What opens the default device means the GPU, which emitted WGSL is tested on; `test/device.ts` opens others.
    env: { TENSORLOOM_DEVICE: process.env['TENSORLOOM_DEVICE'] ?? 'hardware,software' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'sharing', include: sharing, isolate: false } },
      {
        extends: true,
        test: { name: 'apart', include: ['test/**/*.test.ts', 'examples/**/*.test.ts'], exclude: sharing },
      },
    ],
  },
})
export default config
