import Extraction
import Testing

@Suite struct MultipartBoundaryTests {
  @Test(arguments: [
    ("multipart/form-data; boundary=abc", "abc"),
    ("Multipart/Form-Data;BOUNDARY=abc", "abc"),
    ("multipart/form-data; charset=utf-8; boundary=\"a b:c\"; x=\"a;b\"", "a b:c"),
    (
      "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxk",
      "----WebKitFormBoundary7MA4YWxk"
    ),
    ("multipart/form-data ; boundary=abc;", "abc"),
  ])
  func `a boundary is read from the header`(header: String, text: String) throws {
    #expect(try MultipartBoundary(contentType: header).text == text)
  }

  @Test func `a boundary has 1 to 70 characters`() throws {
    let longest = String(repeating: "x", count: 70)
    #expect(
      try MultipartBoundary(contentType: "multipart/form-data; boundary=\(longest)").text
        == longest)
    #expect(
      message("multipart/form-data; boundary=\(longest)x")
        == "Content-Type: a boundary has 1 to 70 characters, not 71")
    #expect(
      message("multipart/form-data; boundary=\"\"")
        == "Content-Type: a boundary has 1 to 70 characters, not 0")
  }

  @Test(arguments: [
    ("", "it is missing; a form is sent as multipart/form-data"),
    ("application/json", "“application/json” is not multipart/form-data"),
    ("multipart/mixed; boundary=abc", "“multipart/mixed” is not multipart/form-data"),
    ("multipart/form-data", "the parameter boundary is missing"),
    ("multipart/form-data; charset=utf-8", "the parameter boundary is missing"),
    ("multipart/form-data; boundary", "parameters are written as “; name=value”"),
    ("multipart/form-data; boundary=", "parameters are written as “; name=value”"),
    ("multipart/form-data; boundary=\"abc", "parameters are written as “; name=value”"),
    ("multipart/form-data; boundary=abc def", "parameters are written as “; name=value”"),
    ("multipart/form-data; boundary=a; Boundary=b", "the parameter boundary is there twice"),
    ("multipart/form-data; boundary=a; x=1; x=1", "the parameter x is there twice"),
    ("multipart/form-data; boundary=a*b", "the boundary has a character that is not allowed"),
    ("multipart/form-data; boundary=\"aä\"", "the boundary has a character that is not allowed"),
    ("multipart/form-data; boundary=\"abc \"", "a boundary does not end with a space"),
    ("multipart/form-data; boundary=\"a\r\n\"", "a control character is not allowed"),
  ])
  func `a header without a sound boundary is refused`(header: String, reason: String) {
    #expect(message(header) == "Content-Type: \(reason)")
  }

  private func message(_ header: String) -> String? {
    do throws(MultipartFault) {
      _ = try MultipartBoundary(contentType: header)
      return nil
    } catch {
      return error.description
    }
  }
}
