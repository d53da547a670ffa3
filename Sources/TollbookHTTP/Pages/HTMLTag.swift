extension HTML {
  /// The name of an element. There is none that runs a script, embeds another page, or changes what addresses mean.
  package struct Tag: Hashable, Sendable {
    let name: String
    /// Whether it has no content and no end.
    let isVoid: Bool

    private init(_ name: String, isVoid: Bool = false) {
      self.name = name
      self.isVoid = isVoid
    }

    package static let a = Tag("a")
    package static let article = Tag("article")
    package static let aside = Tag("aside")
    /// A text whose direction of writing is its own.
    package static let bdi = Tag("bdi")
    package static let br = Tag("br", isVoid: true)
    package static let button = Tag("button")
    package static let code = Tag("code")
    package static let dd = Tag("dd")
    package static let details = Tag("details")
    package static let div = Tag("div")
    package static let dl = Tag("dl")
    package static let dt = Tag("dt")
    package static let em = Tag("em")
    package static let fieldset = Tag("fieldset")
    package static let footer = Tag("footer")
    package static let form = Tag("form")
    package static let h1 = Tag("h1")
    package static let h2 = Tag("h2")
    package static let h3 = Tag("h3")
    package static let header = Tag("header")
    package static let img = Tag("img", isVoid: true)
    package static let input = Tag("input", isVoid: true)
    package static let label = Tag("label")
    package static let legend = Tag("legend")
    package static let li = Tag("li")
    package static let nav = Tag("nav")
    package static let ol = Tag("ol")
    package static let option = Tag("option")
    package static let p = Tag("p")
    package static let section = Tag("section")
    package static let select = Tag("select")
    package static let small = Tag("small")
    package static let span = Tag("span")
    package static let strong = Tag("strong")
    package static let summary = Tag("summary")
    package static let table = Tag("table")
    package static let tbody = Tag("tbody")
    package static let td = Tag("td")
    package static let textarea = Tag("textarea")
    package static let th = Tag("th")
    package static let thead = Tag("thead")
    package static let time = Tag("time")
    package static let tr = Tag("tr")
    package static let ul = Tag("ul")

    // Of the layout alone.
    static let body = Tag("body")
    static let head = Tag("head")
    static let html = Tag("html")
    static let link = Tag("link", isVoid: true)
    static let main = Tag("main")
    static let meta = Tag("meta", isVoid: true)
    static let title = Tag("title")
  }
}
