import { defineConfig } from 'vitest/config'

const source = { resolve: { conditions: ['tensorloom-source'] }, ssr: { resolve: { conditions: ['tensorloom-source'] } } }

export default defineConfig({
  ...source,
  test: {
    include: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
})
