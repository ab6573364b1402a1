/** `tensorloom explain`: how a program became its plan, as data and as text. */

import { hasUserCode } from '../../codegen/kernel/user-code.ts'
import type { BoundKernel } from '../../codegen/lower/assemble.ts'
import type { Planned } from '../../codegen/plan/make-plan.ts'
import type { Place, Prediction } from '../../codegen/plan/plan.ts'
import { dispatchWork } from '../../codegen/plan/predict.ts'
import { everyStep } from '../../codegen/plan/steps.ts'
import { showSchedule } from '../../passes/loop/schedule/print-cluster.ts'
import type { Stage } from '../../passes/pipeline.ts'
import { columnsText } from '../lang/print/columns.ts'
import { bytesText, countText, plural } from '../lang/print/figures.ts'
import { nameNodes, showGraph } from '../lang/print/graph-text.ts'
import { showSized } from '../lang/size.ts'
import { topological } from '../lang/topological.ts'
import { visible } from '../lang/visible-text.ts'
import { type BoundaryReport, boundariesOf } from './explain-boundaries.ts'
import { type Names, namesInside, type RepeatReport, repeatsOf, showRepeat, timesOf } from './explain-loops.ts'
import { loadPrograms } from './load-programs.ts'
import { plannedFor } from './replan.ts'
import { heading, indent } from './spelling.ts'

/** What one pass left. */
export interface StageReport {
  readonly name: string
  readonly nodes: number
  /** Whether it left another graph than it was given. */
  readonly changed: boolean
  /** The graph that it left, where that was asked for and is another one. */
  readonly graph?: string
}

/** One dispatch. */
export interface KernelReport {
  readonly name: string
  /** Number of the distinct kernel; dispatches of equal kernels share it. */
  readonly kernel: number
  /** The nodes it stores, by their names in the graph's text. */
  readonly stores: readonly string[]
  readonly reads: readonly string[]
  /** How often it runs; with `isOpen`, each time that it is submitted, until the device says that its loop has ended. */
  readonly times: number
  readonly isOpen: boolean
  readonly workgroups: number
  readonly workgroupSize: number
  readonly bindings: readonly (Place & { readonly name: string; readonly access: string })[]
  readonly bytes: number
  readonly flops: number
  /** The Loop IR of each cluster, side by side on the grid. */
  readonly loops: readonly string[]
  /** Absent where the target is another. */
  readonly wgsl?: string
  /** Whether it is a user's own code, of which the target runs the JavaScript reference. */
  readonly byReference: boolean
}

/** An argument, result or constant and where it lies. */
export interface PlaceReport extends Place {
  readonly what: string
  readonly type: string
  readonly note: string
}

export interface Explanation {
  readonly name: string
  readonly profile: string
  readonly stages: readonly StageReport[]
  readonly graph: string
  readonly kernels: readonly KernelReport[]
  /** Which dispatches are run again and again, outer loops before inner ones. */
  readonly repeats: readonly RepeatReport[]
  readonly boundaries: readonly BoundaryReport[]
  readonly arenas: readonly number[]
  readonly memory: readonly PlaceReport[]
  readonly prediction: Prediction
}

const kernelReports = ({ plan, kernels }: Planned, { nameOf, bufferName }: Names): readonly KernelReport[] => {
  const repeats = repeatsOf(plan.steps)
  const dispatches = everyStep(plan.steps).filter((s) => s.kind === 'dispatch')
  return kernels.map((bound: BoundKernel, i) => {
    const { kernel, workgroups, places, fused } = bound
    const index = dispatches[i]!.kernel
    const { wgsl } = plan.kernels[index]!
    const stored = new Set(fused.flatMap((f) => f.stored))
    return {
      name: kernel.name,
      kernel: index,
      stores: [...stored].map(nameOf),
      reads: [...new Set(fused.flatMap((f) => [...f.reads]))].filter((n) => !stored.has(n)).map(nameOf),
      ...timesOf(i, repeats),
      workgroups,
      workgroupSize: kernel.workgroupSize,
      bindings: places.map((p, b) => ({ ...p, name: kernel.bindings[b]!.name, access: kernel.bindings[b]!.access })),
      ...dispatchWork(bound),
      loops: fused.map((f) => {
        const names = new Map([...f.tensors].map(([b, tensor]) => [b.id, bufferName(tensor.id)]))
        return showSchedule(f.schedule, (id) => names.get(id)!)
      }),
      ...(wgsl === undefined ? {} : { wgsl }),
      byReference: wgsl === undefined && hasUserCode(kernel),
    }
  })
}

const placeReports = ({ plan }: Planned): readonly PlaceReport[] => {
  return [
    ...plan.inputs.map((s) => ({
      ...s.place,
      what: `argument ${s.path}`,
      type: showSized(s),
      note: s.donated ? 'given away' : '',
    })),
    ...plan.outputs.map((s) => {
      const over = s.inPlaceOf === undefined ? undefined : plan.inputs[s.inPlaceOf]!.path
      const note = over !== undefined ? `takes the place of ${over}` : s.keep ? 'stays on the device' : ''
      return { ...s.place, what: `result ${visible(s.path) || '(the whole)'}`, type: showSized(s), note }
    }),
    ...plan.data.map((d) => ({
      ...d.place,
      what: 'constant',
      type: `${d.dtype}, ${d.values.length} elements`,
      note: '',
    })),
  ]
}

const stageReports = (stages: readonly Stage[], withGraphs: boolean): readonly StageReport[] =>
  stages.map(({ name, graph }, i) => {
    const before = stages[i - 1]?.graph.outputs
    const changed = before === undefined || graph.outputs.some((n, o) => n !== before[o])
    const nodes = topological(graph.outputs).length
    return { name, nodes, changed, ...(withGraphs && changed ? { graph: showGraph(graph, { elide: true }) } : {}) }
  })

/** Explains the programs that `file` exports, or the one named `options.export`. Rejects with Failure. */
export const explain = async (
  file: string,
  options: { readonly export?: string; readonly profile?: string; readonly passes?: boolean } = {},
): Promise<readonly Explanation[]> =>
  (await loadPrograms(file, options.export)).map(({ name, program }) => {
    const planned = plannedFor(program, options.profile)
    const { graph } = planned
    const stored = planned.fusion.kernels.flatMap((kernel) => kernel.flatMap((f) => f.stored))
    // The planner may add copies of results; they get the numbers after the graph's own.
    const names = nameNodes({ inputs: graph.inputs, outputs: [...graph.outputs, ...stored] })
    const inside = namesInside(planned.fusion, (n) => names.get(n) ?? '%?')
    return {
      name,
      profile: planned.plan.profile.name,
      stages: stageReports(program.stages, options.passes ?? false),
      graph: showGraph(graph, { elide: true }),
      kernels: kernelReports(planned, inside),
      repeats: repeatsOf(planned.plan.steps),
      boundaries: boundariesOf(planned, inside.nameOf),
      arenas: planned.plan.arenas,
      memory: placeReports(planned),
      prediction: planned.plan.prediction,
    }
  })

const timesText = ({ times, isOpen }: KernelReport): string => {
  if (isOpen) return times === 1 ? 'again and again, ' : `${countText(times)} times again and again, `
  return times === 1 ? '' : `${countText(times)} times, `
}

const showKernel = (k: KernelReport, i: number): string => {
  const grid = `${plural(k.workgroups, 'workgroup')} of ${k.workgroupSize}`
  const bindings = k.bindings.map((b) => [
    `${b.name}`,
    b.access,
    `arena ${b.arena}`,
    `at ${b.offset}`,
    bytesText(b.bytes),
  ])
  return [
    `dispatch ${i}: ${k.name}, ${timesText(k)}${grid}, ${bytesText(k.bytes)}, ${countText(k.flops)} flops`,
    `  ${k.reads.join(', ') || 'nothing'} → ${k.stores.join(', ')}`,
    indent(columnsText(bindings)),
    ...k.loops.map((l) => indent(l, '    ')),
    ...(k.wgsl === undefined ? [] : [indent(k.wgsl.trimEnd(), '    ')]),
    ...(k.byReference ? ['    runs by the JavaScript reference of the user’s code in it'] : []),
  ].join('\n')
}

const showStages = (stages: readonly StageReport[]): string => {
  const rows = stages.map((s, i) => {
    const before = stages[i - 1]?.nodes
    const count = before === undefined || before === s.nodes ? `${s.nodes} nodes` : `${before} → ${s.nodes} nodes`
    return [`  ${s.name}`, count, s.changed ? '' : 'nothing to do']
  })
  const graphs = stages.flatMap((s) => (s.graph ? ['', heading(`after ${s.name}`), indent(s.graph)] : []))
  return [columnsText(rows), ...graphs].join('\n')
}

/** The explanation as text. */
export const showExplanation = (e: Explanation): string => {
  const p = e.prediction
  const boundaries = e.boundaries.map(
    (b) =>
      `  ${b.from} | ${b.to}  ${b.producer.join(', ')} | ${b.consumer.join(', ')}\n      ${b.reason}; fusing would save ${bytesText(b.savedBytes)}`,
  )
  const memory = [
    ...e.arenas.map((bytes, i) => [`  arena ${i}`, bytesText(bytes)]).filter((_, i) => e.arenas[i]! > 0),
    ...e.memory.map((m) => [`  ${m.what}`, m.type, `arena ${m.arena} at ${m.offset}`, bytesText(m.bytes), m.note]),
  ]
  return [
    `${heading(visible(e.name))} for the ${visible(e.profile)} profile: ${plural(p.dispatches, 'dispatch', 'dispatches')}, ${plural(p.submits, 'submit')}, ${bytesText(p.bytes)} moved, ${countText(p.flops)} flops, ${bytesText(p.peakBytes)} of device memory`,
    '',
    heading('passes'),
    showStages(e.stages),
    '',
    heading('graph'),
    indent(e.graph),
    '',
    ...(e.repeats.length === 0 ? [] : [heading('repeated'), ...e.repeats.map((r) => indent(showRepeat(r))), '']),
    heading('kernels'),
    e.kernels
      .map(showKernel)
      .map((k) => indent(k))
      .join('\n\n') || '  none',
    '',
    heading('not fused'),
    boundaries.join('\n') || '  nothing: no two dispatches share a value',
    '',
    heading('memory'),
    columnsText(memory) || '  none',
    '',
  ].join('\n')
}
