import DeploymentSimulator
import Glibc

let arguments = Array(CommandLine.arguments.dropFirst())

switch arguments.first {
case "serve": serve(Array(arguments.dropFirst()))
case "browse": browse(Array(arguments.dropFirst()))
default: complain(usage)
}
