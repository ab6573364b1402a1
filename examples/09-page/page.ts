/**
 * Chapter 9: a network that learns to read digits while you draw some. This file is the loop; the model, the loss and the
 * step are in programs.ts, compiled ahead of time. `npm run page`
 */
import { makeBars } from './bars.ts'
import { makeCurve } from './curve.ts'
import { batchCount, batchOf, type Digits, fetchDigits } from './digits.ts'
import { loadPrograms, type Programs, type State } from './modules.ts'
import { makePad } from './pad.ts'

const find = <E extends Element = HTMLElement>(id: string): E => document.getElementById(id) as unknown as E
const say = (id: string, text: string): void => void (find(id).textContent = text)

const [batchSize, testSize] = [64, 500]
/** A test is on this many digits that are never learned from, after this many steps. */
const [testDigits, testEvery] = [2000, 50]
/** It stops by itself after this many times through all the digits. */
const mostPasses = 5

const losses = makeCurve(find('loss-curve'), {
  least: 0.02,
  greatest: 3,
  ticks: [
    [Math.log(10), 'guess'],
    [1, '1'],
    [0.3, '0.3'],
    [0.1, '0.1'],
    [0.03, '0.03'],
  ],
  log: true,
})
const accuracies = makeCurve(find('accuracy-curve'), {
  least: 80,
  greatest: 100,
  ticks: [
    [100, '100 %'],
    [95, '95 %'],
    [90, '90 %'],
    [80, '80 %'],
  ],
})
const bars = makeBars(find('bars'), find('answer'))

let learns = true
let startsOver = true
let isDrawingNew = true
/** Ends the wait of a loop that has nothing to do. */
let wake = (): void => {}

const pad = makePad(find('pad'), () => {
  isDrawingNew = true
  wake()
})

/**
 * Waits until the browser has heard the pen and painted. What is awaited goes on before either where it is ready at once,
 * so that a loop of nothing else would leave the page deaf.
 */
const breath = (): Promise<void> =>
  new Promise((go) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      go()
    }
    port2.postMessage(null)
  })

const somethingToDo = (): Promise<void> => new Promise((go) => (wake = go))

const setLearning = (on: boolean): void => {
  learns = on
  say('pause', on ? 'Pause' : 'Learn on')
  say('doing', on ? 'Learning' : 'Resting')
  wake()
}

/** The part of the test digits that is read correctly, in percent. */
const testOn = async ({ test }: Programs, { params }: State, digits: Digits): Promise<number> => {
  let right = 0
  for (let n = 0; n < testDigits / testSize; n++) {
    const { images, labels } = batchOf(digits, testSize, n)
    right += (await (await test(params, images, labels)).read())[0]!
    await breath()
  }
  return (100 * right) / testDigits
}

const loop = async (programs: Programs, training: Digits, unseen: Digits): Promise<never> => {
  let state: State
  let [step, seed] = [0, 0]
  for (;;) {
    if (startsOver) {
      startsOver = false
      state = await programs.start([0, seed++])
      step = 0
      losses.clear()
      accuracies.clear()
    }
    if (isDrawingNew || step % 10 === 0) {
      isDrawingNew = false
      const image = pad.image()
      bars.show(image && (await (await programs.read(state!.params, image)).read()))
    }
    if (learns && !document.hidden) {
      const { images, labels } = batchOf(training, batchSize, step)
      const { next, loss } = await programs.train(state!, images, labels)
      state = next
      step++
      const value = (await loss.read())[0]!
      losses.add(step, value)
      say('loss', value.toFixed(3))
      say('step', `${step}`)
      if (step % testEvery === 0) {
        const accuracy = await testOn(programs, state, unseen)
        accuracies.add(step, accuracy)
        say('accuracy', `${accuracy.toFixed(1)} %`)
      }
      if (step % (mostPasses * batchCount(training, batchSize)) === 0) setLearning(false)
      await breath()
    } else if (!isDrawingNew && !startsOver) await somethingToDo()
  }
}

const main = async (): Promise<void> => {
  say('doing', 'Loading digits and programs')
  const [programs, training, unseen] = await Promise.all([loadPrograms(), fetchDigits('train'), fetchDigits('t10k')])
  say('device', ` on ${programs.device}`)
  find('pause').onclick = () => setLearning(!learns)
  find('again').onclick = () => {
    startsOver = true
    for (const id of ['loss', 'accuracy', 'step']) say(id, '–')
    setLearning(true)
  }
  find('clear').onclick = pad.clear
  find('example').onclick = () => {
    const n = Math.floor(Math.random() * unseen.labels.length)
    pad.show(batchOf(unseen, 1, n).images)
  }
  document.addEventListener('visibilitychange', () => wake())
  for (const button of document.querySelectorAll('button')) button.disabled = false
  setLearning(true)
  await loop(programs, training, unseen)
}

main().catch((e: unknown) => {
  say('doing', 'Stopped')
  find('error').hidden = false
  say('error', e instanceof Error ? e.message : String(e))
})
