import Glibc
import Secrets

ProcessHardening.apply()
exit(CoderCred.run())
