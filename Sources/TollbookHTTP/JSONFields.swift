package import Hummingbird
package import JSONText
import NIOCore

/// The members of a request's JSON object, each read with a type and a range, and refused by name.
///
/// A member that is `null` counts as left out, unless a route asks whether it is: see ``isNull(_:)``. A member that nobody
/// knows is refused, since it may be a limit that was misspelt; so is one that stands twice, since of two limits one would
/// be lost.
package struct JSONFields {
  /// The values and names of members that a body may hold, unless more is said.
  package static let mostValues = 1 << 20

  private let root: JSONValue

  /// Reads the body of a request.
  ///
  /// - Parameters:
  ///   - names: what members there may be.
  ///   - mostValues: how many values the body may hold; each takes memory of its own.
  ///   - mayBeEmpty: whether no body at all counts as an object without members.
  /// - Throws: a `Problem`: the body is too large, did not arrive whole, or is no JSON object.
  package init(
    of request: Request, limit: Int, names: [String], mostValues: Int = Self.mostValues,
    mayBeEmpty: Bool = false
  ) async throws {
    let bytes = try await collectedBody(of: request, limit: limit)
    try self.init(
      bytes.isEmpty && mayBeEmpty ? Array("{}".utf8) : bytes, names: names,
      mostValues: mostValues)
  }

  package init(
    _ bytes: [UInt8], names: [String], mostValues: Int = Self.mostValues
  ) throws(Problem) {
    do throws(JSONError) {
      root = try JSONDocument(bytes, maximumDepth: 64, maximumValues: mostValues).root
    } catch {
      throw Problem(.invalidJSON, "at byte \(error.offset): \(error.reason.rawValue)")
    }
    guard root.kind == .object else {
      throw Problem(.invalidField, "the body must be an object, not \(root.kind)")
    }
    try checkNames(names)
  }

  private func checkNames(_ names: [String]) throws(Problem) {
    guard let members = root.members else { return }
    var seen: Set<String> = []
    for member in members {
      let name = member.name
      guard names.contains(name) else {
        throw Problem(
          .invalidField,
          "“\(name.prefix(100))” is no member of this body; it takes"
            + " \(names.joined(separator: ", "))", field: String(name.prefix(100)))
      }
      guard seen.insert(name).inserted else {
        throw Problem(.invalidField, "\(name) stands twice; send one of them", field: name)
      }
    }
  }

  /// A member, nil if it is left out.
  package func value(_ name: String) -> JSONValue? {
    root[name].flatMap { $0.isNull ? nil : $0 }
  }

  /// Whether a member is there and is `null`.
  func isNull(_ name: String) -> Bool { root[name]?.isNull ?? false }

  /// A whole number.
  package func integer(_ name: String, in range: ClosedRange<Int64>) throws(Problem) -> Int64? {
    guard let value = value(name) else { return nil }
    guard let integer = value.int64 else {
      let found = value.kind == .number ? "another number" : "\(value.kind)"
      throw Problem(.invalidField, "\(name) must be a whole number, not \(found)", field: name)
    }
    guard range.contains(integer) else {
      let bounds =
        range.upperBound == .max
        ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
      throw Problem(.invalidField, "\(name) is \(integer); it must be \(bounds)", field: name)
    }
    return integer
  }

  /// True or false.
  package func flag(_ name: String) throws(Problem) -> Bool? {
    guard let value = value(name) else { return nil }
    guard let flag = value.bool else {
      throw Problem(
        .invalidField, "\(name) must be true or false, not \(value.kind)", field: name)
    }
    return flag
  }

  /// A string.
  package func string(_ name: String) throws(Problem) -> String? {
    guard let value = value(name) else { return nil }
    return try Self.string(value, name)
  }

  /// A list of strings.
  ///
  /// - Parameter excess: the problem with a list that is longer than `limit`.
  package func strings(
    _ name: String, limit: Int, excess: Problem.Kind = .invalidField
  ) throws(Problem) -> [String]? {
    guard let value = value(name) else { return nil }
    guard let elements = value.array else {
      throw Problem(.invalidField, "\(name) must be an array, not \(value.kind)", field: name)
    }
    var found: [String] = []
    for element in elements {
      guard found.count < limit else {
        throw Problem(
          excess, "\(name) has \(elements.count) elements; \(limit) are allowed",
          field: name)
      }
      found.append(try Self.string(element, "\(name)[\(found.count)]"))
    }
    return found
  }

  /// A member that must be there.
  package static func require<Value>(_ value: Value?, _ name: String, _ hint: String)
    throws(Problem)
    -> Value
  {
    guard let value else {
      throw Problem(.missingField, "\(name) is missing: \(hint)", field: name)
    }
    return value
  }

  private static func string(_ value: JSONValue, _ name: String) throws(Problem) -> String {
    guard let text = value.string else {
      throw Problem(.invalidField, "\(name) must be a string, not \(value.kind)", field: name)
    }
    return text
  }
}

/// The body of a request.
///
/// - Throws: a `Problem`: it is longer than `limit`, or did not arrive whole.
package func collectedBody(of request: Request, limit: Int) async throws(Problem) -> [UInt8] {
  let tooLarge = Problem(.bodyTooLarge, "a request may have up to \(limit) bytes")
  let announced = request.headers[.contentLength].flatMap(Int.init) ?? 0
  guard announced <= limit else { throw tooLarge }
  do {
    return Array(try await request.body.collect(upTo: limit).readableBytesView)
  } catch is NIOTooManyBytesError {
    throw tooLarge
  } catch { throw unreadBody(error) }
}

/// Why the body of a request did not arrive.
package func unreadBody(_ error: any Error) -> Problem {
  error is RequestTooSlow
    ? Problem(
      .requestTooSlow,
      "a request must arrive whole within \(RequestGate.requestSeconds) seconds")
    : Problem(.unreadableBody, "the body of the request ended too early")
}
