#!/usr/bin/env node
// Old syntax only: this file has to run on any Node to say which one is needed. The native SQLite
// module crashes older ones, so nothing else may be loaded before the check.
'use strict'
var fs = require('fs')
var path = require('path')

var NEEDED_MAJOR = 24
var root = path.join(__dirname, '..')

function start() {
  var source = path.join(root, 'src', 'cli', 'main.ts')
  var entry = fs.existsSync(source) ? source : path.join(root, 'dist', 'cli', 'main.js')
  require('module').enableCompileCache()
  import(require('url').pathToFileURL(entry).href).then(function (main) {
    return main.main(process.argv.slice(2))
  })
}

/** A checkout brings its own Node as a development dependency. */
function startWith(node) {
  var child = require('child_process').spawn(node, [__filename].concat(process.argv.slice(2)), {
    stdio: 'inherit',
  })
  // The terminal sends its signals to both; the child decides what becomes of them.
  process.on('SIGINT', function () {})
  process.on('SIGTERM', function () {
    child.kill('SIGTERM')
  })
  child.on('close', function (code, signal) {
    if (signal) process.kill(process.pid, signal)
    process.exit(code === null ? 1 : code)
  })
}

if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) {
  start()
} else {
  var local = path.join(root, 'node_modules', 'node', 'bin', 'node')
  if (fs.existsSync(local)) {
    startWith(local)
  } else {
    process.stderr.write(
      'bobbin: needs Node ' +
        NEEDED_MAJOR +
        ' or newer, but this is ' +
        process.version +
        '. Install a newer Node and try again.\n',
    )
    process.exitCode = 2
  }
}
