#!/usr/bin/env node
// Old syntax only: this file has to run on any Node to say which one is needed. The native SQLite
// module crashes older ones, so nothing else may be loaded before the check.
'use strict'
var fs = require('fs')
var path = require('path')

var NEEDED_MAJOR = 24
var COMPILED_AFTER_MS = 5000
var root = path.join(__dirname, '..')
/** A checkout brings its own Node as a development dependency. */
var ownNode = path.join(root, 'node_modules', 'node', 'bin', 'node')

function start() {
  var source = path.join(root, 'src', 'cli', 'main.ts')
  var entry = fs.existsSync(source) ? source : path.join(root, 'dist', 'bin', 'main.js')
  var modules = require('module')
  modules.enableCompileCache()
  // Otherwise a server that is killed in the end would leave nothing behind for the next start.
  setTimeout(modules.flushCompileCache, COMPILED_AFTER_MS).unref()
  import(require('url').pathToFileURL(entry).href).then(function (main) {
    return main.main(process.argv.slice(2))
  }, fail)
}

function fail(error) {
  process.stderr.write('bobbin: cannot start: ' + error.message + '\n')
  process.exitCode = 1
}

function startWith(node) {
  var child = require('child_process').spawn(node, [__filename].concat(process.argv.slice(2)), {
    stdio: 'inherit',
  })
  // The terminal sends its signals to both; the child decides what becomes of them.
  process.on('SIGINT', function () {})
  process.on('SIGTERM', function () {
    child.kill('SIGTERM')
  })
  child.on('error', fail)
  child.on('close', function (code, signal) {
    if (signal) process.kill(process.pid, signal)
    process.exit(code === null ? 1 : code)
  })
}

function refuse() {
  var needed = 'bobbin: needs Node ' + NEEDED_MAJOR + ' or newer, but this is ' + process.version
  process.stderr.write(needed + '. Install a newer Node and try again.\n')
  process.exitCode = 2
}

if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) start()
else if (fs.existsSync(ownNode)) startWith(ownNode)
else refuse()
