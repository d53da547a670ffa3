/// Which words of titles say nothing about the product, and which tell one product from another. Our own lists, English
/// first, with the German words of the same kind.
enum TitleVocabulary {
  /// Words that join others.
  private static let joining = """
    a an and are as at by das der die ein eine for from fuer fur in inch inches is it its mit my
    no not of on or our per the this to und von w with within your zum zur
    """

  /// Words that praise, greet or tell of delivery.
  private static let marketing = """
    amazing authentic bargain beautiful best brand cheap deal deals delivery dispatch excellent
    express fast free freepost genuine gift good great holy hot kostenlos look lovely minty must
    manual nice offer official original perfect post postage quality quick rare rarely sale same
    schnell schnelle seller selten ship shipped shipping ships super tested top tracked uk us
    usa versand vgc wow
    """

  /// The condition is compared by its group, so its words say nothing more.
  private static let condition = """
    boxed condition gebraucht lightly like mint neu neuwertig new nib open opened ovp refurb
    refurbished renewed sealed unopened unused used very working works
    """

  /// One of these words in one title and not in the other tells two products apart: models and accessories.
  private static let telling = """
    adapter air akku bag band battery bezel body bracket bumper cable case charger charging
    compatible controller cover digital disc display dock dummy earpads faceplate fe film fits
    folio front games glass grip handle harness headband holder holster housing huelle ii iii
    insert iv ix kabel keyboard kids kit ladegeraet lcd left lens lid lite max mini mount
    oled panel plus poster pouch pro protector remote replacement replica right ring screen se
    shell skin sleeve slim spare stand sticker strap tablet ti toy ultra vi vii viii xl xs
    """

  enum Role: Sendable {
    /// Says nothing about the product.
    case silent
    /// Tells products apart.
    case telling
  }

  /// The words that have a role; all others describe the product.
  static let roles: [String: Role] = {
    var roles: [String: Role] = [:]
    for (text, role) in [
      (joining, Role.silent), (marketing, .silent), (condition, .silent), (telling, .telling),
    ] {
      for word in text.split(whereSeparator: \.isWhitespace) { roles[String(word)] = role }
    }
    return roles
  }()
}
