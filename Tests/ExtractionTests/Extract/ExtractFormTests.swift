import HTTPTypes
import Hummingbird
import NIOCore
import Testing
import TollbookHTTP

@testable import Extraction

@Suite struct ExtractFormTests {
  @Test func `files have no more memory reserved than was announced for all of them`()
    async throws
  {
    let parts = (1...ExtractForm.mostFiles).map { FormPart.file("\($0).pdf", [0x25]) }
    var head = HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/extract")
    head.headerFields[.contentType] = "multipart/form-data; boundary=part-of-a-form"
    // More than comes.
    head.headerFields[.contentLength] = "\(ExtractForm.longestBody)"
    let body = RequestBody(buffer: ByteBuffer(bytes: FormPart.body(parts)))
    let form = try await ExtractForm(Request(head: head, body: body))
    #expect(form.files.count == ExtractForm.mostFiles)
    let reserved = form.files.reduce(0) { $0 + $1.content.capacity }
    // A page of memory more for each.
    #expect(reserved <= ExtractForm.longestBody + ExtractForm.mostFiles * 4_096, "\(reserved)")
  }
}
