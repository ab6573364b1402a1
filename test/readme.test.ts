/** README's example is the file that runs, and prints what README says. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const readme = readFileSync('README.md', 'utf8')

test('README shows examples/readme.ts as it is', () => {
  expect(readme).toContain(`\`\`\`ts\n${readFileSync('examples/readme.ts', 'utf8').trimEnd()}\n\`\`\``)
})

test('the example prints what README shows', async () => {
  const args = ['--conditions=tensorloom-source', '--import', 'tsx', 'examples/readme.ts']
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env: process.env })
  expect(stderr).not.toContain('warning')
  expect(stdout.split('\n').length).toBeGreaterThan(2)
  expect(readme).toContain(`\`\`\`text\n${stdout.trimEnd()}\n\`\`\``)
})
