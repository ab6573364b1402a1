/** The programs of the compile table: the scoreboard's training steps and the large models. */
import { gptPrograms } from '../gpt.ts'
import type { Workload } from '../program.ts'
import { programs } from '../programs.ts'
import { visionPrograms } from '../vision.ts'

const small = ['mlp_train', 'cnn_train', 'lstm_train']

/** In the order of the table. */
export const compilePrograms: readonly Workload[] = [
  ...small.map((name) => programs.find((p) => p.name === name)!),
  ...gptPrograms,
  ...visionPrograms,
]
