import { fault } from '../../../errors.ts'

type Plain = string | number | boolean | null | undefined

const isPlain = (value: unknown): value is Plain => typeof value !== 'object' || value === null

/**
 * The question itself, once it is known that nothing in it can be an operator of the server (security row 28): its types
 * say so, and whoever passes on what came from outside unchecked gets a `request.invalid` fault instead of other
 * people's rows.
 */
export function plain<Question extends object>(question: Question): Question {
  for (const [name, value] of Object.entries(question)) {
    if (isPlain(value) || (Array.isArray(value) && value.every(isPlain))) continue
    throw fault('request.invalid', `${name} is no text`)
  }
  return question
}
