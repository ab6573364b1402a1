import { defineConfig, type ViteUserConfig } from 'vitest/config'

const config: ViteUserConfig = defineConfig({
  resolve: { conditions: ['tensorloom-source'] },
  ssr: { resolve: { conditions: ['tensorloom-source'] } },
  test: {
    include: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
    // What opens the default device means the GPU, which emitted WGSL is tested on; `test/device.ts` opens others.
    env: { TENSORLOOM_DEVICE: process.env['TENSORLOOM_DEVICE'] ?? 'hardware,software' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
})
export default config
