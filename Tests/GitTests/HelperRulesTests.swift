import Foundation
import TestDesk
import Testing

/// What git asks of a helper that keeps passwords, rule by rule, through every git at hand.
@Suite(.blocking) struct `As a store for any server` {

  @Test(arguments: Caller.all)
  func `1, 2, 3: what is unknown is asked for, and what was stored is given back`(
    caller: Caller
  ) throws {
    try Store.with(caller) { store in
      let asked = try store.fill("protocol=https", "host=example.com")
      #expect(asked["username"] == "askpass-username" && asked["password"] == "askpass-password")
      let password = store.desk.plant()
      try store.approve(
        "protocol=https", "host=example.com", "username=store-user", "password=\(password)")
      let filled = try store.fill("protocol=https", "host=example.com")
      #expect(
        filled
          == Filled(attributes: [
            "protocol": "https", "host": "example.com", "username": "store-user",
            "password": password,
          ]))
    }
  }

  @Test(arguments: Caller.all)
  func `4, 5, 6: another protocol, host or user name is asked for`(caller: Caller) throws {
    try Store.with(caller) { store in
      try store.approve(
        "protocol=https", "host=example.com", "username=u", "password=\(store.desk.plant())")
      let plain = try store.fill("protocol=http", "host=example.com")
      #expect(plain["username"] == "askpass-username" && plain["password"] == "askpass-password")
      let elsewhere = try store.fill("protocol=https", "host=other.tld")
      #expect(elsewhere["password"] == "askpass-password")
      let other = try store.fill("protocol=https", "host=example.com", "username=other")
      #expect(other["username"] == "other" && other["password"] == "askpass-password")
    }
  }

  @Test(arguments: Caller.all)
  func `7: another path is asked for`(caller: Caller) throws {
    try Store.with(caller) { store in
      store.settings = ["credential.useHttpPath=true"]
      let password = store.desk.plant()
      try store.approve(
        "protocol=http", "host=path.tld", "path=foo.git", "username=u", "password=\(password)")
      let other = try store.fill("protocol=http", "host=path.tld", "path=bar.git")
      #expect(other["password"] == "askpass-password")
      let own = try store.fill("protocol=http", "host=path.tld", "path=foo.git")
      #expect(own["username"] == "u" && own["password"] == password)
    }
  }

  @Test(arguments: Caller.all)
  func `8: a new password takes the place of the old one`(caller: Caller) throws {
    try Store.with(caller) { store in
      let (one, two) = (store.desk.plant("1"), store.desk.plant("2"))
      let user = ["protocol=https", "host=example.com", "username=user-overwrite"]
      try store.approve(user[0], user[1], user[2], "password=\(one)")
      try store.approve(user[0], user[1], user[2], "password=\(two)")
      #expect(try store.fill(user[0], user[1], user[2])["password"] == two)
      try store.reject(user[0], user[1], user[2], "password=\(two)")
      #expect(try store.fill(user[0], user[1], user[2])["password"] == "askpass-password")
    }
  }

  @Test(arguments: Caller.all)
  func `9: a host can be forgotten`(caller: Caller) throws {
    try Store.with(caller) { store in
      try store.approve(
        "protocol=https", "host=example.com", "username=u", "password=\(store.desk.plant())")
      try store.reject("protocol=https", "host=example.com")
      #expect(
        try store.fill("protocol=https", "host=example.com")["password"] == "askpass-password")
      #expect(try store.desk.desktop.items().isEmpty)
    }
  }

  @Test(arguments: Caller.all)
  func `10, 12, 13: users are kept side by side, and forgotten one by one`(caller: Caller) throws {
    try Store.with(caller) { store in
      let passwords = [store.desk.plant("1"), store.desk.plant("2")]
      for (user, password) in zip(["user1", "user2"], passwords) {
        try store.approve(
          "protocol=https", "host=example.com", "username=\(user)", "password=\(password)")
      }
      for (user, password) in zip(["user1", "user2"], passwords) {
        let filled = try store.fill("protocol=https", "host=example.com", "username=\(user)")
        #expect(filled["password"] == password)
      }
      try store.reject("protocol=https", "host=example.com", "username=user1")
      #expect(
        try store.fill("protocol=https", "host=example.com", "username=user1")["password"]
          == "askpass-password")
      #expect(
        try store.fill("protocol=https", "host=example.com", "username=user2")["password"]
          == passwords[1])
    }
  }

  @Test(arguments: Caller.all)
  func `11: a password other than the one rejected stays`(caller: Caller) throws {
    try Store.with(caller) { store in
      let password = store.desk.plant("1")
      let user = ["protocol=https", "host=example.com", "username=u"]
      try store.approve(user[0], user[1], user[2], "password=\(password)")
      try store.reject(user[0], user[1], user[2], "password=\(store.desk.plant("2"))")
      #expect(try store.fill(user[0], user[1], user[2])["password"] == password)
    }
  }

  @Test(arguments: Caller.all)
  func `14: an empty user name with an empty password is kept`(caller: Caller) throws {
    try Store.with(caller) { store in
      try store.approve("protocol=https", "host=sso.tld", "username=", "password=")
      let filled = try store.fill("protocol=https", "host=sso.tld")
      #expect(filled["username"] == "" && filled["password"] == "")
    }
  }

  @Test(arguments: Caller.all)
  func `15: without a user name every credential of the host is forgotten`(caller: Caller) throws {
    try Store.with(caller) { store in
      for user in ["a", "b"] {
        try store.approve(
          "protocol=https", "host=example.com", "username=\(user)",
          "password=\(store.desk.plant(user))")
      }
      try store.reject("protocol=https", "host=example.com")
      for user in ["a", "b"] {
        let filled = try store.fill("protocol=https", "host=example.com", "username=\(user)")
        #expect(filled["password"] == "askpass-password")
      }
    }
  }

  @Test(arguments: Caller.all)
  func `16: a long line is one line`(caller: Caller) throws {
    try Store.with(caller) { store in
      try store.approve(
        "protocol=https", "host=victim.example.com", "username=user",
        "password=\(store.desk.plant())")
      for length in [1001, 1024 - 23, 4096, 65_000] {
        let realm = String(repeating: "a", count: length)
        let filled = try store.fill(
          "protocol=https", "host=badguy.example.com",
          "wwwauth[]=basic realm=\(realm)host=victim.example.com")
        #expect(filled["username"] == "askpass-username")
        #expect(filled["password"] == "askpass-password")
      }
    }
  }

  @Test(arguments: Caller.all.filter { $0.knows([2, 40]) })
  func `17: what has expired is not used`(caller: Caller) throws {
    try Store.with(caller) { store in
      // git itself drops what has expired; what can be renewed is handed to it nevertheless.
      let end = Int(Date().timeIntervalSince1970) + 10
      try store.approve(
        "protocol=https", "host=timeout.tld", "username=u", "password=\(store.desk.plant())",
        "password_expiry_utc=\(end)")
      waitFor("the end") { Int(Date().timeIntervalSince1970) > end }
      let filled = try store.fill("protocol=https", "host=timeout.tld")
      if case .git = caller { #expect(filled["password"] == "askpass-password") }
      if case .helper = caller { #expect(filled["password_expiry_utc"] == "\(end)") }
    }
  }

  @Test(arguments: Caller.all.filter { $0.knows([2, 41]) })
  func `18, 19, 21, 22: an expiry and a refresh token are kept and given back`(
    caller: Caller
  ) throws {
    try Store.with(caller) { store in
      let (password, refresh) = (store.desk.plant(), store.desk.plant("refresh"))
      try store.approve(
        "protocol=https", "host=oauth.tld", "username=u", "password=\(password)",
        "password_expiry_utc=9999999999", "oauth_refresh_token=\(refresh)")
      let filled = try store.fill("protocol=https", "host=oauth.tld")
      #expect(filled["password"] == password && filled["oauth_refresh_token"] == refresh)
      #expect(filled["password_expiry_utc"] == "9999999999")
    }
  }

  @Test(arguments: Caller.all.filter { $0.knows([2, 40]) })
  func `20: a new expiry takes the place of the old one`(caller: Caller) throws {
    try Store.with(caller) { store in
      let user = ["protocol=https", "host=expiry.tld", "username=u"]
      let (one, two) = (store.desk.plant("1"), store.desk.plant("2"))
      try store.approve(
        user[0], user[1], user[2], "password=\(one)", "password_expiry_utc=9999999998")
      try store.approve(
        user[0], user[1], user[2], "password=\(two)", "password_expiry_utc=9999999999")
      try store.reject(user[0], user[1], user[2], "password=\(two)")
      #expect(try store.fill(user[0], user[1], user[2])["password"] == "askpass-password")
    }
  }

  @Test(arguments: Caller.all.filter { $0.knows([2, 49]) })
  func `23, 24, 25: a pre-encoded credential is kept for who understands it`(
    caller: Caller
  ) throws {
    try Store.with(caller) { store in
      let token = store.desk.plant("token")
      try store.approve(
        "capability[]=authtype", "authtype=Bearer", "credential=\(token)", "protocol=https",
        "host=git.example.com")
      let filled = try store.fill(
        "capability[]=authtype", "protocol=https", "host=git.example.com")
      #expect(
        filled
          == Filled(attributes: [
            "authtype": "Bearer", "credential": token, "protocol": "https",
            "host": "git.example.com",
          ]))
      let other = try store.fill("protocol=https", "host=git.example.com")
      #expect(other["username"] == "askpass-username" && other["password"] == "askpass-password")
      #expect(other["credential"] == nil && other["authtype"] == nil)
    }
  }

  @Test(arguments: Caller.all.filter { $0.knows([2, 46]) })
  func `26, 27, 28: it may have a user name, and is for no other`(caller: Caller) throws {
    try Store.with(caller) { store in
      let (token, other) = (store.desk.plant("random"), store.desk.plant("other"))
      let site = ["capability[]=authtype", "protocol=https", "host=git.example.com"]
      try store.approve(site[0], "authtype=Bearer", "credential=\(token)", site[1], site[2])
      try store.approve(
        site[0], "authtype=Bearer", "credential=\(other)", site[1], site[2], "username=foobar")
      let named = try store.fill(site[0], site[1], site[2], "username=foobar")
      #expect(named["credential"] == other && named["username"] == "foobar")
      let stranger = try store.fill(site[0], site[1], site[2], "username=barbaz")
      #expect(stranger["password"] == "askpass-password")
      #expect(stranger["credential"] == nil && stranger["authtype"] == nil)
    }
  }

  @Test(arguments: Caller.all.filter { $0.knows([2, 46]) })
  func `29, 30: what is ephemeral is not kept`(caller: Caller) throws {
    try Store.with(caller) { store in
      try store.approve(
        "capability[]=authtype", "authtype=Bearer", "credential=\(store.desk.plant())",
        "ephemeral=1", "protocol=https", "host=git2.example.com")
      try store.approve(
        "capability[]=authtype", "username=u", "password=\(store.desk.plant())", "ephemeral=1",
        "protocol=https", "host=git2.example.com")
      let filled = try store.fill(
        "capability[]=authtype", "protocol=https", "host=git2.example.com")
      #expect(filled["username"] == "askpass-username" && filled["credential"] == nil)
      #expect(try store.desk.desktop.items().isEmpty)
    }
  }
}
