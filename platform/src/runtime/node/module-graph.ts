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

/**
 * Told of each file of the application that is found from now on, in this thread, whether or not it loads, and of each
 * file of a package that one of those imports.
 */
export function watchImports(onFile: (address: string, isPackage: boolean) => void): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context)
      const { url } = resolved
      if (isOfApplication(url)) onFile(url, false)
      else if (url.startsWith('file:') && isOfApplication(context.parentURL ?? '')) onFile(url, true)
      return resolved
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
