/** A compiled program planned again for another target: its graph is already there, only kernels and memory change. */
import * as E from '#fp/Either'
import { makePlan, type NamedSizes, type Planned } from '../../codegen/plan/make-plan.ts'
import type { Plan } from '../../codegen/plan/plan.ts'
import { profiles } from '../../codegen/targets/profiles.ts'
import { beforeWidening } from '../../passes/pipeline.ts'
import type { Program } from '../compile/compile.ts'
import { printerFor } from '../compile/targets.ts'
import { showError } from '../lang/errors.ts'
import { visible } from '../lang/visible-text.ts'
import { Failure } from './failure.ts'

/** What a plan says of its named sizes. */
const sizesOf = ({ sizes = [], inputs, outputs }: Plan): NamedSizes => ({
  names: sizes,
  inputs: inputs.map((s) => s.axes ?? s.shape),
  outputs: outputs.map((s) => s.axes ?? s.shape),
  ranges: inputs.map((s) => s.indexOf),
})

/** What `program` plans to for the profile named `name`; as it was compiled when there is no name. Throws Failure. */
export const plannedFor = (program: Program, name: string | undefined): Planned => {
  if (name === undefined) return program.planned
  const profile = Object.entries(profiles).find(([key]) => key === name)?.[1]
  if (!profile) throw new Failure(`no profile is named ${name}; there are ${Object.keys(profiles).join(', ')}`)
  const { plan, stages } = program
  const planned = makePlan(
    {
      name: plan.name,
      graph: stages[stages.length - 1]!.graph,
      given: beforeWidening(stages),
      inputs: plan.inputs,
      outputs: plan.outputs,
      inputTree: plan.inputTree,
      outputTree: plan.outputTree,
      subnormals: plan.subnormals,
      observations: plan.observations,
      ...(plan.sizes ? { sizes: sizesOf(plan) } : {}),
    },
    profile,
    printerFor(profile),
  )
  if (E.isLeft(planned))
    throw new Failure(`${visible(plan.name)} cannot be planned for ${name}\n${showError(planned.left)}`)
  return planned.right
}
