package import JSONText
package import TollbookEvents

/// A value of a file that people write, with its place, so that whatever is wrong can be named.
package struct CheckedJSON {
  package let value: JSONValue
  package let place: String

  package init(_ value: JSONValue, place: String = "") {
    self.value = value
    self.place = place
  }

  /// The value of a text.
  package init(text: [UInt8]) throws(DataFileError) {
    do throws(JSONError) {
      self.init(try JSONDocument(text, maximumDepth: 16, maximumValues: 1 << 20).root)
    } catch {
      throw DataFileError(.notJSON(error), at: "")
    }
  }

  package func fault(_ problem: DataFileError.Problem) -> DataFileError {
    DataFileError(problem, at: place)
  }

  // MARK: - Objects and arrays

  /// Checks that this is an object that has no other members, and none twice.
  package func allow(_ names: String...) throws(DataFileError) {
    guard let members = value.members else { throw isNot("an object") }
    var seen: Set<String> = []
    for member in members {
      let name = member.name
      guard names.contains(name) else { throw fault(.unknownName(name)) }
      guard seen.insert(name).inserted else { throw fault(.twice(name)) }
    }
  }

  /// A member; nil if there is none or it is null.
  package func optional(_ name: String) -> CheckedJSON? {
    guard let value = value[name], !value.isNull else { return nil }
    return CheckedJSON(value, place: place.isEmpty ? name : "\(place).\(name)")
  }

  /// A member that must be there.
  package func member(_ name: String) throws(DataFileError) -> CheckedJSON {
    guard let member = optional(name) else {
      throw DataFileError(.missing, at: place.isEmpty ? name : "\(place).\(name)")
    }
    return member
  }

  /// The elements of an array that has at least one.
  package func elements() throws(DataFileError) -> [CheckedJSON] {
    guard let array = value.array else { throw isNot("an array") }
    let elements = array.enumerated().map { index, element in
      CheckedJSON(element, place: "\(place)[\(index)]")
    }
    guard !elements.isEmpty else { throw fault(.empty) }
    return elements
  }

  // MARK: - Scalars

  /// A whole number of a range; one below 0 is told apart if the range starts there or above.
  package func integer(_ range: ClosedRange<Int64>) throws(DataFileError) -> Int64 {
    guard let number = value.int64 else { throw isNot("a whole number") }
    if number < 0, range.lowerBound >= 0 { throw fault(.negative(number)) }
    guard range ~= number else { throw fault(.outside(range, number)) }
    return number
  }

  package func text() throws(DataFileError) -> String {
    guard let text = value.string else { throw isNot("a string") }
    guard !text.isEmpty else { throw fault(.empty) }
    return text
  }

  package func bool() throws(DataFileError) -> Bool {
    guard let bool = value.bool else { throw isNot("true or false") }
    return bool
  }

  package func day() throws(DataFileError) -> CalendarDay {
    let text = try text()
    guard let day = CalendarDay(text) else { throw fault(.badDate(text)) }
    return day
  }

  private func isNot(_ expected: String) -> DataFileError {
    fault(.isNot(expected, found: value.kind))
  }
}
