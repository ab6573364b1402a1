/** The whole course: `npm run course`, or `npm run course -- --quick`. A line an example, and one report with all they found. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as T from 'tensorloom'
import { classification } from '../02-classification.ts'
import { regression } from '../02-regression.ts'
import { choices } from '../03-choices.ts'
import { mnist } from '../03-mnist/example.ts'
import { blocks } from '../04-blocks.ts'
import { lenet } from '../04-lenet.ts'
import { resnet } from '../04-resnet.ts'
import { characters } from '../05-characters.ts'
import { series } from '../05-series.ts'
import { gpt } from '../06-gpt.ts'
import { sentiment } from '../06-sentiment.ts'
import { wordVectors } from '../06-word-vectors.ts'
import { words } from '../06-words.ts'
import { optimisersExample } from '../07-optimisers.ts'
import { collapse } from '../08-collapse.ts'
import { dcgan } from '../08-dcgan.ts'
import { gan } from '../08-gan.ts'
import { progressBar } from '../pictures/progress.ts'
import { asked, type Example, savePictures } from './example.ts'
import { type Ran, report } from './report.ts'

/** In the order of the chapters. */
export const course: readonly Example[] = [
  regression,
  classification,
  mnist,
  choices,
  lenet,
  resnet,
  blocks,
  series,
  characters,
  words,
  wordVectors,
  sentiment,
  gpt,
  optimisersExample,
  gan,
  collapse,
  dcgan,
]

/** Runs `examples` one after another; one that fails is told, and the others run. */
export const runCourse = async (
  examples: readonly Example[],
  device: T.Device,
  { quick, out }: { readonly quick: boolean; readonly out: string },
  say: (line: string) => void,
): Promise<readonly Ran[]> => {
  const ran: Ran[] = []
  for (const example of examples) {
    const bar = progressBar(example.name)
    const start = performance.now()
    const outcome = await example.run({ device, quick, folder: join(out, example.name), progress: bar.show }).then(
      (found) => ({ found }),
      (e: unknown) => ({ failure: e instanceof Error ? e.message : String(e) }),
    )
    bar.done()
    const seconds = (performance.now() - start) / 1000
    if ('found' in outcome) await savePictures(out, example.name, outcome.found)
    ran.push({ example, seconds, ...outcome })
    say(
      `${example.name.padEnd(20)} ${seconds.toFixed(1).padStart(7)} s  ${'failure' in outcome ? outcome.failure : example.title}`,
    )
  }
  return ran
}

if (process.argv[1]?.endsWith('course/run.ts')) {
  const { quick, json, device: prefer, out } = asked(process.argv.slice(2))
  const device = await T.openDevice({ prefer })
  const ran = await runCourse(course, device, { quick, out }, (line) => console.error(line))
  await mkdir(out, { recursive: true })
  await writeFile(join(out, 'course.html'), report(device.description, ran, { quick }))
  if (json)
    console.log(JSON.stringify(Object.fromEntries(ran.map((r) => [r.example.name, r.found?.measures ?? r.failure]))))
  else console.log(`report: ${join(out, 'course.html')}`)
  if (ran.some((r) => r.failure !== undefined)) process.exitCode = 1
}
