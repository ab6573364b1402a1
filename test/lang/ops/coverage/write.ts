/** `npm run --silent coverage`: runs every primitive through every column and writes the table of what was exercised. */
import { writeFileSync } from 'node:fs'
import { holesOf, ops, render, rowOf } from './table.ts'

const path = new URL('../../../coverage.md', import.meta.url)

const rows = ops.map((op) => {
  process.stderr.write(`${op} `)
  return rowOf(op)
})
process.stderr.write('\n')
const holes = rows.flatMap(holesOf)
for (const hole of holes) console.log(hole)
writeFileSync(path, render(rows))
console.log(`${rows.length} primitives, ${holes.length} holes: test/coverage.md`)
process.exitCode = holes.length > 0 ? 1 : 0
