/** The main example as a part of the course: `npm start` in its frame. */
import type { Example } from '../course/example.ts'
import { requestOf } from './request.ts'
import { run } from './run.ts'
import { measuresOf, picturesOf } from './train.ts'

export const mnist: Example = {
  name: '03-mnist/train',
  title: 'A deep network reads digits',
  run: async ({ device, quick, progress }) => {
    const { settings } = requestOf(quick ? ['--quick'] : [])
    const onStep = (epoch: number, done: number, total: number): void => progress(done, total, `epoch ${epoch + 1}`)
    const outcome = await run({ ...settings, device, onStep })
    const { accuracy, loss, testDigits } = measuresOf(outcome)
    return {
      measures: { accuracy: accuracy.at(-1)!, loss },
      tables: [
        {
          title: `the ${testDigits.toLocaleString('en-US')} test digits`,
          columns: ['epoch', 'read correctly, %'],
          rows: accuracy.map((a, i) => [i + 1, (100 * a).toFixed(2)]),
        },
      ],
      pictures: picturesOf(outcome),
    }
  },
}
