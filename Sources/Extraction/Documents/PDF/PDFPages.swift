/// How many pages a PDF has, as a bound for a price: rather too many than too few.
///
/// Two counts are made. One follows the file's own index: `startxref`, the cross-reference tables and streams along
/// `Prev`, the catalog and the page tree, and takes its `Count` or the number of its leaves, whichever is larger. The
/// other reads the file from end to end and counts page objects by their numbers, also those in object streams. The
/// larger one is the answer. If the index leads nowhere, the largest `Count` of any node of a page tree is the first.
/// A file that was changed and kept its deleted pages has more by the second.
enum PDFPages {
  /// - Throws: Why the pages cannot be counted, or that there are too many.
  static func count(
    in bytes: [UInt8], limits: DocumentLimits
  ) throws(DocumentFault) -> Int {
    var objects = try PDFObjects(PDFFile(bytes, limits: limits))
    let tree = try PDFPageTree.count(&objects, limit: limits.pages)
    let scan = try PDFScan(&objects.file, limit: limits.pages)
    let pages = max(tree ?? scan.largestCount, scan.pages)
    if pages < 1 { throw .noPages }
    if pages > limits.pages { throw .tooManyPages(limit: limits.pages) }
    return pages
  }
}
