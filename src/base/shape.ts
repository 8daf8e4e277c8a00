import { isAbsolute } from 'node:path'
import { isObject } from './json.ts'

/**
 * What a value handed in from outside has to be: answers what is wrong with it, with the name that
 * the caller knows it by, or undefined. For the doors of the library, where nobody's compiler may
 * have looked; loads in no time.
 */
export type Shape = (value: unknown, name: string) => string | undefined

/** `what` completes the sentence "it must be …". */
export function mustBe(what: string, isSo: (value: unknown) => boolean): Shape {
  return (value, name) =>
    isSo(value) ? undefined : `${name} must be ${what}, but is ${shown(value)}`
}

/** Not all of it: it may be long, or hold what is nobody's business. */
function shown(value: unknown): string {
  if (typeof value === 'string') return value.length > 60 ? 'another text' : JSON.stringify(value)
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}

export const aText = mustBe('a text', (value) => typeof value === 'string')

export const someWords = mustBe('a text that is not blank', (value) => {
  return typeof value === 'string' && value.trim() !== ''
})

export const anAbsolutePath = mustBe('an absolute path', (value) => {
  return typeof value === 'string' && isAbsolute(value)
})

export const aFlag = mustBe('true or false', (value) => typeof value === 'boolean')

export const aFunction = mustBe('a function', (value) => typeof value === 'function')

export const anAbortSignal = mustBe('an AbortSignal', (value) => {
  return isObject(value) && typeof value.aborted === 'boolean'
})

export const anObject = mustBe('an object', isObject)

export const aNumber = mustBe('a number', (value) => {
  return typeof value === 'number' && !Number.isNaN(value)
})

/** Infinity is none that can be counted to, but is one that can be waited for. */
export const anAmount = mustBe('a number from 0 on', (value) => {
  return typeof value === 'number' && value >= 0
})

export const aCount = mustBe('a whole number from 0 on', (value) => {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
})

export function oneOf(values: readonly string[]): Shape {
  return mustBe(`one of ${values.join(', ')}`, (value) => {
    return typeof value === 'string' && values.includes(value)
  })
}

/** What may be left out. */
export function maybe(shape: Shape): Shape {
  return (value, name) => (value === undefined ? undefined : shape(value, name))
}

export function nullOr(shape: Shape): Shape {
  return (value, name) => (value === null ? undefined : shape(value, name))
}

export function listOf(shape: Shape): Shape {
  return (value, name) => {
    if (!Array.isArray(value)) return aList(value, name)
    for (const [index, each] of value.entries()) {
      const fault = shape(each, `${name}[${index}]`)
      if (fault !== undefined) return fault
    }
    return undefined
  }
}

const aList = mustBe('a list', Array.isArray)

/** An object with these members; others are not looked at. */
export function members(shapes: { readonly [member: string]: Shape }): Shape {
  return (value, name) => {
    if (!isObject(value)) return anObject(value, name)
    for (const [member, shape] of Object.entries(shapes)) {
      const fault = shape(value[member], `${name}.${member}`)
      if (fault !== undefined) return fault
    }
    return undefined
  }
}

/** For what a person changes: a member that is misspelt would change nothing, in silence. */
export function onlyMembers(shapes: { readonly [member: string]: Shape }): Shape {
  const known = members(shapes)
  return (value, name) => {
    const other = isObject(value) && Object.keys(value).find((key) => !Object.hasOwn(shapes, key))
    if (typeof other !== 'string') return known(value, name)
    return `${name} has no member ${other}; it may have ${Object.keys(shapes).join(', ')}`
  }
}

/** Options without those that were given as undefined: that leaves them out, too. */
export function givenOf<T extends object>(options: T): Given<T> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as Given<T>
}

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> }
