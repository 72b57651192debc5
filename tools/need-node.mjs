// Runs before every npm script, on whatever Node the machine has, so it is written in the oldest module
// JavaScript: it must be able to say what is wrong even where the rest of the repository does not parse.
// The repository needs Node 24 and brings its own as the development dependency `node`; npm puts that one first
// on the PATH of its scripts. Three things can keep it from being found, and each has its own advice.
import { existsSync } from 'fs'
import { fileURLToPath } from 'url'

var majorMin = 24
var major = Number(process.versions.node.split('.')[0])

function inRepository(path) {
  return existsSync(fileURLToPath(new URL('../' + path, import.meta.url)))
}

function advice() {
  if (!inRepository('node_modules')) {
    return ['The dependencies are not installed.', 'Run:  npm ci']
  }
  var binary = process.platform === 'win32' ? 'node_modules/node/bin/node.exe' : 'node_modules/node/bin/node'
  if (inRepository('node_modules/node') && !inRepository(binary)) {
    return [
      'The dependency that brings Node ' + majorMin + ' is there, but its install script did not run.',
      'npm 12 runs only install scripts that are allowed; package.json allows this one ("allowScripts").',
      'Check that no setting forbids it:  npm config get ignore-scripts  (must print false)',
      'Then run:  npm approve-scripts node && npm rebuild node   (npm 12)',
      '      or:  npm rebuild node                               (npm 10 and 11)',
    ]
  }
  if (!inRepository('node_modules/node')) {
    return ['The dependencies were installed without the development ones.', 'Run:  npm ci --include=dev']
  }
  return [
    'Node ' + majorMin + ' is in node_modules, but another Node runs this script.',
    'Use the npm scripts, which choose the right one:  npm start, npm test, npm run check',
  ]
}

if (major < majorMin) {
  var lines = ['Plenum needs Node ' + majorMin + ' or newer; this is Node ' + process.versions.node + '.']
  console.error(lines.concat(advice()).join('\n'))
  process.exit(1)
}

if (!inRepository('node_modules/vitest')) {
  console.error('The dependencies are not installed, or only in part.\nRun:  npm ci')
  process.exit(1)
}
