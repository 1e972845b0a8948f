// Reads Jenkinsfiles with the Groovy that Jenkins has, and prints them as JSON: each section by its
// name, those of which there may be several as a list. What a section may hold is in Jenkins' book,
// https://www.jenkins.io/doc/book/pipeline/syntax/; here is as much of it as we use.

import groovy.json.JsonOutput

class Section {
    static final MAY_HOLD = [
        Jenkinsfile: ['pipeline'],
        pipeline: ['agent', 'environment', 'options', 'stages'],
        options: ['disableConcurrentBuilds', 'timeout'],
        stages: ['stage'],
        stage: ['agent', 'environment', 'matrix', 'post', 'steps', 'when'],
        matrix: ['agent', 'axes', 'stages'],
        axes: ['axis'],
        axis: ['name', 'values'],
        when: ['beforeAgent', 'expression', 'tag'],
        post: ['always'],
        always: ['sh'],
        steps: ['sh'],
    ]
    static final SEVERAL = ['axis', 'sh', 'stage']

    String kind
    Map held = [:]

    /** A section, an option or a step: what it is told, and what is in its braces. */
    def methodMissing(String name, told) {
        if (!(name in MAY_HOLD[kind])) {
            throw new IllegalArgumentException("$kind holds no $name")
        }
        told = told as List
        def body = told && told.last() instanceof Closure ? told.pop() : null
        if (name == 'expression') {
            told = [looksAt(body)]
        } else if (body) {
            def section = new Section(kind: name, held: told ? [name: told[0]] : [:])
            within(section, body)
            told = [section.held]
        }
        def value = told.size() == 1 ? told[0] : told
        if (name in SEVERAL) {
            held.get(name, []) << value
        } else if (name in held) {
            throw new IllegalArgumentException("$kind holds two of $name")
        } else {
            held[name] = value
        }
    }

    /** `agent any`. */
    def propertyMissing(String name) {
        if (!(name in ['any', 'none'])) {
            throw new MissingPropertyException(name, Section)
        }
        name
    }

    /** `NAME = 'value'`. */
    def propertyMissing(String name, value) {
        if (kind != 'environment') {
            throw new MissingPropertyException(name, Section)
        }
        held[name] = value
    }

    def credentials(String id) {
        "credentials $id".toString()
    }

    static looksAt(Closure expression) {
        within([env: [:].withDefault { "env.$it".toString() }], expression)
    }

    static within(delegate, Closure body) {
        body.delegate = delegate
        body.resolveStrategy = Closure.DELEGATE_ONLY
        body()
    }
}

def read = { path ->
    def script = new GroovyShell().parse(new File(path))
    def file = new Section(kind: 'Jenkinsfile')
    script.metaClass.methodMissing = { String name, told -> file.methodMissing(name, told) }
    script.run()
    file.held.pipeline
}
println JsonOutput.toJson(args.collect(read))
