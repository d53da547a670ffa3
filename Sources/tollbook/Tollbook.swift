import ArgumentParser
import AsyncHTTPClient
import Configuration
import Hummingbird

@main struct Tollbook {
  static func main() {}
}
