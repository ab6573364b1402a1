/** What the network thinks of a drawing: ten bars, and its answer in words. */

export interface Bars {
  /** Ten probabilities; undefined where there is nothing to read. */
  readonly show: (probabilities: ArrayLike<number> | undefined) => void
}

const percent = (part: number): string => `${Math.round(100 * part)} %`

const answerOf = (probabilities: readonly number[]): string => {
  const best = Math.max(...probabilities)
  const digit = probabilities.indexOf(best)
  if (best > 0.9) return `It is a ${digit}.`
  return best > 0.5 ? `It may be a ${digit}.` : `A ${digit}? Hard to say.`
}

/** Fills `list` with ten bars, and `answer` with what they say. */
export const makeBars = (list: HTMLElement, answer: HTMLElement): Bars => {
  const rows = Array.from({ length: 10 }, (_, digit) => {
    const row = document.createElement('li')
    row.innerHTML = `<span class="share"></span><span class="bar"><span class="fill"></span></span><b>${digit}</b>`
    list.append(row)
    return { row, share: row.querySelector('.share')!, fill: row.querySelector<HTMLElement>('.fill')! }
  })
  const say = (text: string): void => {
    // Readers of screens hear every change: an answer that stays is not said again.
    if (answer.textContent !== text) answer.textContent = text
  }
  const show: Bars['show'] = (probabilities) => {
    const parts = Array.from({ length: 10 }, (_, digit) => probabilities?.[digit] ?? 0)
    const best = Math.max(...parts)
    rows.forEach(({ row, share, fill }, digit) => {
      const part = parts[digit]!
      fill.style.height = `${100 * part}%`
      share.textContent = probabilities ? percent(part) : ''
      row.classList.toggle('best', probabilities !== undefined && part === best)
    })
    say(probabilities ? answerOf(parts) : 'Draw a digit, and it is read here.')
  }
  show(undefined)
  return { show }
}
