// swift-tools-version: 6.2
import PackageDescription

/// One list for every Swift target, tests included.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "coder-cred",
  products: [
    .executable(name: "coder-cred", targets: ["coder-cred"]),
    .executable(name: "coder-cred-engine", targets: ["coder-cred-engine"]),
    .executable(name: "deployment-simulator", targets: ["deployment-simulator"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2")
  ],
  targets: [
    // C borders: what Swift does not import of a library, and nothing else.
    .systemLibrary(
      name: "CSecret", pkgConfig: "libsecret-1", providers: [.apt(["libsecret-1-dev"])]),
    .systemLibrary(
      name: "CGLib", pkgConfig: "gio-2.0", providers: [.apt(["libglib2.0-dev"])]),
    // libsecret itself, loaded when it is first needed.
    .target(name: "CSecretLoader", dependencies: ["CLinux", "CSecret"]),
    // libcurl's types alone: the library is loaded when a request is made.
    .target(name: "CCurl", dependencies: ["CLinux"]),
    .target(name: "CLinux"),
    // A few lines around libqrencode, which is loaded when somebody asks for a QR code.
    .target(name: "CQRencode", dependencies: ["CLinux"]),

    // Libraries. Arrows go down only: see Sources/README.md.
    .target(name: "Basics", dependencies: ["CLinux"], swiftSettings: strict),
    .target(name: "Secrets", dependencies: ["CLinux"], swiftSettings: strict),
    .target(
      name: "SecretService",
      dependencies: ["CLinux", "CSecret", "CSecretLoader", "MinimalDBus", "Secrets"],
      swiftSettings: strict),
    .target(
      name: "HTTP", dependencies: ["Basics", "CCurl", "Secrets"], swiftSettings: strict),
    .target(
      name: "OAuth", dependencies: ["Basics", "HTTP", "Secrets"], swiftSettings: strict),
    .target(
      name: "Credentials", dependencies: ["Basics", "Secrets"], swiftSettings: strict),
    .target(
      name: "Notifications", dependencies: ["CGLib", "CLinux", "Secrets"], swiftSettings: strict),
    .target(
      name: "Sessions",
      dependencies: ["Basics", "Credentials", "HTTP", "OAuth", "SecretService", "Secrets"],
      swiftSettings: strict),
    .target(
      name: "Login",
      dependencies: ["Basics", "CLinux", "Credentials", "HTTP", "OAuth", "Secrets", "Sessions"],
      swiftSettings: strict),
    .executableTarget(
      name: "coder-cred-engine",
      dependencies: [
        "Basics", "CGLib", "CLinux", "CQRencode", "Credentials", "HTTP", "Login", "Notifications",
        "OAuth", "SecretService", "Secrets", "Sessions",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // The way to a bus, and a few D-Bus messages, without a library.
    .target(name: "MinimalDBus", dependencies: ["CLinux"], swiftSettings: strict),

    // The fast path: what is stored and fresh; the full program does everything else.
    .executableTarget(
      name: "coder-cred", dependencies: ["CLinux", "Credentials", "Secrets", "MinimalDBus"],
      swiftSettings: strict),

    // What tests work with: a simulated deployment, and a private desktop with all that is on it.
    .target(
      name: "DeploymentSimulator", path: "Tests/DeploymentSimulator", swiftSettings: strict),
    .executableTarget(
      name: "deployment-simulator", dependencies: ["DeploymentSimulator"],
      path: "Tests/deployment-simulator", swiftSettings: strict),
    .target(
      name: "TestDesk", dependencies: ["DeploymentSimulator"], path: "Tests/TestDesk",
      swiftSettings: strict),

    .target(
      name: "SessionFakes",
      dependencies: ["Credentials", "HTTP", "OAuth", "SecretService", "Secrets", "Sessions"],
      path: "Tests/SessionFakes", swiftSettings: strict),

    .testTarget(
      name: "DeploymentSimulatorTests",
      dependencies: ["DeploymentSimulator", "deployment-simulator"], swiftSettings: strict),
    .testTarget(name: "BasicsTests", dependencies: ["Basics"], swiftSettings: strict),
    .testTarget(name: "SecretsTests", dependencies: ["Secrets"], swiftSettings: strict),
    .testTarget(
      name: "TestDeskTests",
      dependencies: ["TestDesk", "coder-cred", "coder-cred-engine", "deployment-simulator"],
      swiftSettings: strict),
    .testTarget(
      name: "CredentialsTests", dependencies: ["Credentials", "Secrets"], swiftSettings: strict),
    .testTarget(
      name: "NotificationsTests", dependencies: ["Notifications", "TestDesk"],
      swiftSettings: strict),
    .testTarget(
      name: "HTTPTests", dependencies: ["HTTP", "Secrets", "TestDesk", "coder-cred-engine"],
      swiftSettings: strict),
    .testTarget(
      name: "OAuthTests",
      dependencies: ["Basics", "DeploymentSimulator", "HTTP", "OAuth", "Secrets"],
      swiftSettings: strict),
    .testTarget(
      name: "SecretServiceTests", dependencies: ["TestDesk", "SecretService", "Secrets"],
      swiftSettings: strict),
    .testTarget(
      name: "SessionsTests",
      dependencies: [
        "Credentials", "HTTP", "Login", "OAuth", "SecretService", "Secrets", "SessionFakes",
        "Sessions",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "LoginFlowTests",
      dependencies: [
        "Credentials", "HTTP", "Login", "OAuth", "SecretService", "Secrets", "SessionFakes",
        "Sessions",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "FastPathTests",
      dependencies: [
        "Credentials", "TestDesk", "Secrets", "MinimalDBus", "coder-cred",
        "coder-cred-engine",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ResilienceTests",
      dependencies: [
        "DeploymentSimulator", "TestDesk", "coder-cred-engine", "deployment-simulator",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "DeploymentSimulator", "TestDesk", "coder-cred", "coder-cred-engine",
        "deployment-simulator",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "GitTests",
      dependencies: [
        "DeploymentSimulator", "TestDesk", "coder-cred", "coder-cred-engine",
        "deployment-simulator",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ToolTests",
      dependencies: [
        "Credentials", "DeploymentSimulator", "TestDesk", "coder-cred", "coder-cred-engine",
        "deployment-simulator",
      ],
      exclude: ["clients.txt", "fake-server.py"], swiftSettings: strict),
    .testTarget(
      name: "AccountTests",
      dependencies: [
        "DeploymentSimulator", "TestDesk", "coder-cred-engine", "deployment-simulator",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "DoctorTests",
      dependencies: [
        "DeploymentSimulator", "TestDesk", "coder-cred", "coder-cred-engine",
        "deployment-simulator",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "AttackTests",
      dependencies: [
        "Credentials", "DeploymentSimulator", "TestDesk", "coder-cred", "coder-cred-engine",
        "deployment-simulator",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "HostileTests",
      dependencies: [
        "DeploymentSimulator", "SessionFakes", "TestDesk", "coder-cred", "coder-cred-engine",
        "deployment-simulator",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "LoginTests",
      dependencies: [
        "DeploymentSimulator", "TestDesk", "coder-cred-engine", "deployment-simulator",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ForeignServerTests",
      dependencies: [
        "DeploymentSimulator", "TestDesk", "coder-cred-engine", "deployment-simulator",
      ],
      exclude: ["Servers"], swiftSettings: strict),
  ]
)

// Fuzzing has a build of its own, with what no other build bears: both programs as libraries, whose
// innermost readers are called, and every function instrumented. See packaging/fuzz.
if Context.environment["CODER_CRED_FUZZING"] != nil {
  let programs = package.targets.filter { $0.type == .executable && !$0.name.contains("simulator") }
  package.targets.removeAll { $0.type == .executable || $0.type == .test }
  package.targets += programs.map {
    .target(
      name: $0.name, dependencies: $0.dependencies, exclude: ["main.swift"], swiftSettings: strict)
  }
  package.targets += [
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "Basics", "CCurl", "CGLib", "CLinux", "Credentials", "HTTP", "MinimalDBus",
        "OAuth", "Secrets", "Sessions", "coder-cred", "coder-cred-engine",
      ],
      path: "Tests/Fuzzing", exclude: ["Seeds", "words.dict"], swiftSettings: strict)
  ]
  package.products = [.executable(name: "fuzz", targets: ["fuzz"])]
}
