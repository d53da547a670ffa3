import Hummingbird
import Testing

@testable import TollbookHTTP

@Suite struct PageSessionsTests {
  private static let key = Keyring.Holder.issued(id: "k1", digest: [1, 2, 3])

  @Test func `a session is known by its cookie, and by nothing else`() {
    let sessions = PageSessions()
    let cookie = sessions.open(for: Self.key, at: 0)
    #expect(sessions.holder(of: cookie, at: 0) == Self.key)
    for wrong in ["", String(cookie.dropLast()), cookie + "0", PageCookie.randomValue()] {
      #expect(sessions.holder(of: wrong, at: 0) == nil)
    }
    sessions.close(cookie)
    #expect(sessions.holder(of: cookie, at: 0) == nil)
  }

  @Test func `it ends after twelve hours`() {
    let sessions = PageSessions()
    let cookie = sessions.open(for: .settings, at: 5)
    #expect(sessions.holder(of: cookie, at: 43_200_004) == .settings)
    #expect(sessions.holder(of: cookie, at: 43_200_005) == nil)
    // With the next one that begins it is let go of.
    _ = sessions.open(for: .settings, at: 43_200_005)
    #expect(sessions.count == 1)
  }

  @Test func `there are a thousand, and the one that began first goes`() {
    let sessions = PageSessions()
    let cookies = (0..<1_001).map { _ in sessions.open(for: Self.key, at: 7) }
    #expect(sessions.count == 1_000)
    #expect(Set(cookies).count == 1_001)
    #expect(sessions.holder(of: cookies[0], at: 7) == nil)
    #expect(sessions.holder(of: cookies[1], at: 7) == Self.key)
    #expect(sessions.holder(of: cookies[1_000], at: 7) == Self.key)
  }

  @Test func `a cookie has 256 bits, and no two are the same`() {
    let cookies = (0..<100).map { _ in PageCookie.randomValue() }
    #expect(Set(cookies).count == 100)
    for cookie in cookies { #expect(bytes(hexadecimal: cookie)?.count == 32) }
  }

  @Test func `a cookie is for this site and for no script, and over TLS for nothing else`() {
    let value = PageCookie.randomValue()
    #expect(
      PageCookie.session.setting(value, for: 43_200, isSecure: true).value
        == "__Host-tollbook_session=\(value); Path=/; HttpOnly; SameSite=Strict; Secure; "
        + "Max-Age=43200"
    )
    #expect(
      PageCookie.visitor.setting(value, isSecure: false).value
        == "tollbook_visitor=\(value); Path=/; HttpOnly; SameSite=Strict")
    // Another site sends this one's browser back.
    #expect(
      PageCookie.journey.setting(value, for: 600, isSecure: true).value
        == "__Host-tollbook_journey=\(value); Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=600")
  }

  @Test func `of a cookie's name that stands twice none counts`() {
    let (one, two) = (PageCookie.randomValue(), PageCookie.randomValue())
    func value(_ text: String, isSecure: Bool = false) -> String? {
      PageCookie.session.value(in: [.cookie: text], isSecure: isSecure)
    }
    #expect(value("a=b; tollbook_session=\(one); c=d") == one)
    #expect(value("tollbook_session=\(one); tollbook_session=\(two)") == nil)
    #expect(value("xtollbook_session=\(one)") == nil)
    #expect(value("tollbook_session=\(one.uppercased().dropLast(1))") == nil)
    #expect(value("tollbook_session=; x=1") == nil)
    // What a page without TLS has set does not count where there is TLS.
    #expect(value("tollbook_session=\(one)", isSecure: true) == nil)
    #expect(value("tollbook_session=\(one); __Host-tollbook_session=\(two)") == two)
  }
}
