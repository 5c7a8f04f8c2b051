/// What `coder-cred` alone says: enough for the first five minutes, on less than a screen of 24
/// rows.
enum FirstScreen {
  static let text = """
    coder-cred gives your tools tokens for Coder deployments, kept in your
    desktop's keyring and refreshed when needed.

      coder-cred login https://dev.coder.com  sign in, once
      coder-cred status                       who is signed in, and what to do
      coder-cred logout                       sign out

    Then, for instance:

      coder-cred exec -- coder list           for the Coder CLI, Terraform ...
      coder-cred api users/me                 the deployment's API
      coder-cred header --format lines        for curl -H @<(coder-cred ...)
      git config --global credential.helper coder-cred
          for repositories that the deployment serves or guards; git's other
          passwords are kept, too

    Every command: coder-cred --help          The manual: man coder-cred

    """
}
