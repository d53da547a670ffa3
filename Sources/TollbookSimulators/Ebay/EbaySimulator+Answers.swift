// What calls are answered with, once it is known that they are answered.

extension EbaySimulator {
  /// The answer as it travels.
  func finished(
    _ admission: Admission, _ target: EbayRoute.Target?, _ arrival: Arrival
  ) -> EbayReply {
    let fault = admission.call.fault
    if fault == .timeout || fault == .drop {
      var reply = EbayReply(status: 503)
      reply.delivery = .withheld
      return reply
    }
    if fault == .html {
      return EbayReply(status: 200, page: "We will be back soon", text: "Please try again later.")
    }
    var reply: EbayReply
    if let ready = admission.reply {
      reply = ready
    } else if let target {
      do throws(EbayRefusal) {
        reply = try work(target, admission, arrival)
      } catch {
        reply = EbayReply(error)
      }
    } else {
      reply = EbayReply(.noPath)
    }
    if fault == .cutBody { reply.delivery = .cut }
    return reply
  }

  private func work(
    _ target: EbayRoute.Target, _ admission: Admission, _ arrival: Arrival
  ) throws(EbayRefusal) -> EbayReply {
    let parameters = arrival.parameters
    switch target.route {
    case .search:
      var question = try EbayQuestion(parameters, site(arrival))
      lose(&question, admission.call.fault, parameters["filter"])
      let work = EbaySearchWork(
        scene: scene(arrival, admission), question: question, path: arrival.path,
        query: arrival.query)
      return EbayReply(json: work.json())
    case .item:
      return EbayReply(json: try items(arrival, admission).item(target.itemId))
    case .items: return EbayReply(json: try items(arrival, admission).items(parameters))
    case .legacyItem:
      return EbayReply(json: try items(arrival, admission).legacy(parameters))
    case .sales:
      let question = try EbayQuestion(parameters, site(arrival))
      return EbayReply(
        json: EbaySalesWork(scene: scene(arrival, admission), question: question).json())
    case .rateLimit, .userRateLimit:
      let json = EbayRateLimitWork(rates: admission.rates, reset: admission.reset)
        .json(context: parameters["api_context"], name: parameters["api_name"])
      return json.map { EbayReply(json: $0) } ?? EbayReply(status: 204)
    case .token, .authorize: throw .noPath
    }
  }

  private func items(_ arrival: Arrival, _ admission: Admission) -> EbayItemWork {
    EbayItemWork(scene: scene(arrival, admission))
  }

  private func scene(_ arrival: Arrival, _ admission: Admission) -> EbayScene {
    let context = QueryText.decoded((arrival.headers["x-ebay-c-enduserctx"] ?? "")[...])
    // The market goes on while a call takes its time.
    let machineTime = configuration.now()
    let conditions = conditions
    return EbayScene(
      market: market, site: site(arrival), now: conditions.time(machineTime), base: arrival.base,
      endedItems: conditions.endedItems, isPlaced: context.contains("zip="),
      hidesItems: admission.call.fault == .itemEnded)
  }

  /// Takes the filters from a question, if that is what goes wrong.
  private func lose(
    _ question: inout EbayQuestion, _ fault: EbayFault.Kind?, _ filter: String?
  ) {
    guard fault == .filterDropped || fault == .filterIgnored else { return }
    question.sieve = EbaySieve()
    guard fault == .filterDropped, let filter else { return }
    question.warnings.append(
      EbayNotice(
        id: 12002, message: "A filter was not applied.", parameters: [("filter", filter)]))
  }

  /// The picture or the page of a listing, which are not counted; nil: the path is that of neither.
  func picture(_ path: String) -> EbayReply? {
    func legacy(_ prefix: String, _ suffix: String) -> Int64? {
      guard path.hasPrefix(prefix), path.hasSuffix(suffix) else { return nil }
      let digits = path.dropFirst(prefix.count).dropLast(suffix.count)
      return EbayReadingText.isDigits(digits, 1...18) ? Int64(digits) : nil
    }
    if let legacy = legacy("/images/", ".png") {
      guard let offer = market.offer(legacy: legacy) else { return EbayReply(status: 404) }
      return EbayReply(png: EbayPicture.png(offer))
    }
    guard let legacy = legacy("/itm/", "") else { return nil }
    guard let offer = market.offer(legacy: legacy) else {
      return EbayReply(status: 404, page: "404 Not found")
    }
    let isThere = offer.isThere(at: conditions.time(configuration.now()))
    return EbayReply(
      status: 200, page: offer.title(market.families[offer.number.family]),
      text: isThere
        ? "An invented listing of a simulated market." : "This invented listing has ended.")
  }
}
