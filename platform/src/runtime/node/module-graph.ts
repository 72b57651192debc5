import { registerHooks } from 'node:module'

/** The part of an address that tells one loading of a file from another. */
const versionName = 'plenum-load'
/** This package's own files: they are loaded once. */
const ownFolder = new URL('../../', import.meta.url).href

/**
 * Has files that are imported from an address of `freshAddress` loaded anew too, with all that they import; those of
 * packages stay as they are. What was loaded before is not forgotten: Node has no way to. Ends with what it returns.
 */
export function freshImports(): Disposable {
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context)
      const version = versionOf(context.parentURL)
      if (version === undefined || !isOfApplication(resolved.url)) return resolved
      return { ...resolved, url: freshAddress(resolved.url, version) }
    },
  })
  return { [Symbol.dispose]: () => hooks.deregister() }
}

/** An address under which a file is loaded anew: one for each version. */
export function freshAddress(address: string, version: string): string {
  const url = new URL(address)
  url.searchParams.set(versionName, version)
  return url.href
}

/** A file as it was loaded: what it said, and as what Node took it. */
export interface LoadedFile {
  readonly format: string
  readonly text: string
}

/**
 * Told of each file of the application that is found from now on, in this thread, whether or not it loads, and of each
 * file of a package that one of those imports; and of what each file of the application says that is loaded.
 */
export function watchImports(
  onFile: (address: string, isPackage: boolean) => void,
  onLoaded: (address: string, file: LoadedFile) => void,
): void {
  registerHooks({
    load(address, context, nextLoad) {
      const loaded = nextLoad(address, context)
      const { format, source } = loaded
      // Of what Node reads by itself, such as what is required, nothing is known.
      if (isOfApplication(address) && typeof format === 'string' && source !== null && source !== undefined)
        onLoaded(address, { format, text: typeof source === 'string' ? source : new TextDecoder().decode(source) })
      return loaded
    },
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context)
      const { url } = resolved
      if (isOfApplication(url)) onFile(url, false)
      else if (url.startsWith('file:') && isOfApplication(context.parentURL ?? '')) onFile(url, true)
      return resolved
    },
  })
}

/** Has files loaded from now on, in this thread, as they were when they were loaded before, whatever became of them. */
export function loadAsBefore(files: Readonly<Record<string, LoadedFile>>): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const address = /^\.{0,2}\//.test(specifier) ? new URL(specifier, context.parentURL).href : specifier
      return address in files ? { url: address, shortCircuit: true } : nextResolve(specifier, context)
    },
    load(address, context, nextLoad) {
      const file = files[address]
      if (file === undefined) return nextLoad(address, context)
      return { format: file.format, source: file.text, shortCircuit: true }
    },
  })
}

function versionOf(address: string | undefined): string | undefined {
  if (address === undefined || !address.includes(versionName)) return undefined
  return new URL(address).searchParams.get(versionName) ?? undefined
}

function isOfApplication(address: string): boolean {
  return address.startsWith('file:') && !address.includes('/node_modules/') && !address.startsWith(ownFolder)
}
