/// The one stylesheet of all pages: light and dark by what the reader's system says, for a phone and for a wide screen.
/// Texts have a contrast of at least 4.5 to 1 to what they stand on, in either (WCAG 2.2, criterion 1.4.3).
package enum Stylesheet {
  package static let text = frame + forms + pieces + cards + dark

  private static let frame = """
    :root {
      color-scheme: light dark;
      --ground: #f5f4f0; --sheet: #ffffff; --sunk: #efede6;
      --ink: #1d1c19; --soft: #5a564e; --line: #d8d4c9; --edge: #8b867a;
      --accent: #0b5f56; --on-accent: #ffffff; --tint: #e0efec;
      --good: #17603a; --good-tint: #e2f1e7;
      --warn: #7c4300; --warn-tint: #fbeed9;
      --bad: #9d231b; --bad-tint: #fbe7e4;
      --shadow: 0 1px 2px rgb(40 36 24 / .07), 0 4px 14px rgb(40 36 24 / .05);
    }
    *, ::before, ::after { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
    body {
      margin: 0; min-height: 100vh; display: flex; flex-direction: column;
      background: var(--ground); color: var(--ink);
      font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans",
        Arial, sans-serif;
      overflow-wrap: anywhere;
    }
    h1, h2, h3 { line-height: 1.25; margin: 0; text-wrap: balance; }
    h1 { font-size: 1.625rem; letter-spacing: -.01em; margin-block: .25rem 1rem; }
    h2 { font-size: 1.0625rem; }
    p, ul, ol, dl { margin-block: 0 .75rem; }
    a { color: var(--accent); text-underline-offset: .15em; }
    a:hover { text-decoration-thickness: 2px; }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
    main:focus { outline: none; }
    .skip {
      position: absolute; left: .5rem; top: -4rem; padding: .5rem 1rem; z-index: 2;
      background: var(--sheet); border-radius: 0 0 8px 8px;
    }
    .skip:focus { top: 0; }
    .top {
      display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1.25rem;
      padding: .5rem max(1rem, (100% - 78rem) / 2);
      background: var(--sheet); border-bottom: 1px solid var(--line);
    }
    .brand { font-weight: 700; color: var(--ink); text-decoration: none; padding-block: .5rem; }
    .top ul { display: flex; flex-wrap: wrap; gap: .25rem; list-style: none; margin: 0; padding: 0; }
    .top nav a {
      display: block; padding: .5rem .75rem; border-radius: 8px; text-decoration: none;
      color: var(--ink);
    }
    .top nav a:hover { background: var(--sunk); }
    .top nav a[aria-current] { background: var(--tint); color: var(--accent); font-weight: 600; }
    .who { display: flex; align-items: center; gap: .75rem; margin: 0 0 0 auto; color: var(--soft); }
    .who, .foot, .hint, .note { font-size: .875rem; }
    .banner {
      margin: 0; padding: .5rem max(1rem, (100% - 78rem) / 2); font-size: .875rem;
      background: var(--warn-tint); color: var(--warn);
    }
    main { width: 100%; max-width: 80rem; margin: 0 auto; padding: 1rem 1rem 2.5rem; flex: 1; }
    .foot { padding: 1rem; color: var(--soft); text-align: center; }
    .foot p { margin: 0; }
    .lead { font-size: 1.0625rem; max-width: 44rem; }
    .note, .hint { color: var(--soft); max-width: 44rem; }
    .hidden {
      position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
      white-space: nowrap;
    }

    """

  private static let forms = """
    label, legend { font-weight: 600; font-size: .875rem; padding: 0; }
    fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
    .field {
      display: grid; grid-template-columns: minmax(0, 1fr); gap: .25rem; align-content: start;
      min-width: 0;
    }
    .hint { margin: 0; }
    input, select, textarea, button, .button {
      font: inherit; color: var(--ink); min-height: 2.75rem; max-width: 100%;
      border: 1px solid var(--edge); border-radius: 8px; background: var(--sheet);
    }
    input, select, textarea { width: 100%; min-width: 0; padding: .5rem .75rem; }
    textarea { min-height: 6rem; }
    ::placeholder { color: var(--soft); opacity: 1; }
    input[type=file] { padding: .375rem; }
    input[type=file]::file-selector-button {
      font: inherit; color: var(--ink); background: var(--sunk); border: 1px solid var(--line);
      border-radius: 6px; padding: .25rem .75rem; margin-inline-end: .75rem;
    }
    [aria-invalid=true] { border: 2px solid var(--bad); }
    button, .button {
      display: inline-flex; align-items: center; justify-content: center; padding: .5rem 1rem;
      font-weight: 600; cursor: pointer; text-decoration: none;
    }
    button:hover, .button:hover { background: var(--sunk); }
    .primary, .primary:hover {
      background: var(--accent); border-color: var(--accent); color: var(--on-accent);
    }
    .primary:hover { filter: brightness(1.08); }
    .quiet { border-color: var(--line); font-weight: 500; }
    [aria-pressed=true] { background: var(--tint); border-color: var(--accent); color: var(--accent); }
    .panel {
      display: grid; gap: 1rem; padding: 1rem; margin: 0 0 1.25rem;
      background: var(--sheet); border: 1px solid var(--line); border-radius: 12px;
      box-shadow: var(--shadow);
    }
    .panel > button { justify-self: start; }
    .narrow { max-width: 30rem; }
    .row { display: grid; gap: .75rem; align-items: end; }
    .fields {
      display: grid; gap: .75rem; padding-top: .25rem;
      grid-template-columns: repeat(2, minmax(0, 1fr));
    }
    .actions { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
    .actions form { margin: 0; }
    @media (min-width: 46rem) {
      .row { grid-template-columns: minmax(0, 2fr) minmax(0, 1fr) auto; }
      .fields { grid-template-columns: repeat(auto-fill, minmax(13.5rem, 1fr)); }
    }

    """

  private static let pieces = """
    .notice, .fault, .empty {
      padding: .75rem 1rem; border-radius: 10px; margin: 0 0 1.25rem; max-width: 60rem;
      background: var(--tint); border: 1px solid transparent;
    }
    .fault { background: var(--bad-tint); color: var(--bad); }
    .panel > .fault { margin: 0; }
    .field > .fault { padding: 0; margin: 0; background: none; font-size: .875rem; }
    .empty { background: var(--sheet); border-color: var(--line); padding: 1.25rem; }
    .empty h2 { margin-bottom: .5rem; }
    .links { list-style: none; padding: 0; display: grid; gap: .5rem; max-width: 30rem; }
    .links a {
      display: block; padding: .875rem 1rem; font-weight: 600; text-decoration: none;
      background: var(--sheet); border: 1px solid var(--line); border-radius: 10px;
    }
    .links a:hover { border-color: var(--accent); }
    .badges { display: flex; flex-wrap: wrap; gap: .375rem; list-style: none; padding: 0; margin: 0; }
    .badge {
      display: inline-block; padding: .0625rem .5rem; border-radius: 99px; font-size: .8125rem;
      background: var(--sunk); color: var(--soft);
    }
    .badge.good { background: var(--good-tint); color: var(--good); }
    .badge.warn { background: var(--warn-tint); color: var(--warn); }
    .badge.bad { background: var(--bad-tint); color: var(--bad); }
    details > summary { cursor: pointer; font-weight: 600; padding-block: .625rem; }
    details[open] > summary { margin-bottom: .25rem; }
    details ul { padding-inline-start: 1.25rem; margin-bottom: .5rem; }
    .facts { display: grid; grid-template-columns: auto 1fr; gap: .125rem .75rem; margin: 0; }
    .facts dt { color: var(--soft); }
    .facts dd { margin: 0; }

    """

  private static let cards = """
    .cards {
      display: grid; gap: 1rem; list-style: none; margin: 0 0 1.25rem; padding: 0;
      grid-template-columns: repeat(auto-fill, minmax(min(100%, 23rem), 1fr));
    }
    .loose { align-items: start; }
    .card {
      display: flex; flex-direction: column; gap: .625rem; height: 100%; padding: 1rem;
      background: var(--sheet); border: 1px solid var(--line); border-radius: 12px;
      box-shadow: var(--shadow);
    }
    .card p { margin: 0; }
    .card-head { display: grid; grid-template-columns: 6rem minmax(0, 1fr); gap: .875rem; }
    .photo {
      width: 6rem; height: 6rem; object-fit: contain; border-radius: 8px; background: var(--sunk);
      color: var(--soft); font-size: .8125rem;
    }
    span.photo { display: grid; place-items: center; text-align: center; }
    .card h2 a { color: inherit; text-decoration: none; }
    .card h2 a:hover { text-decoration: underline; }
    .price { font-size: 1.25rem; font-weight: 700; font-variant-numeric: tabular-nums; }
    .parts, .when { color: var(--soft); font-size: .875rem; }
    .score { display: flex; align-items: center; gap: .75rem; }
    .score-number {
      flex: none; min-width: 3.25rem; padding: .375rem .5rem; border-radius: 10px; text-align: center;
      font-size: 1.375rem; font-weight: 700; line-height: 1.2; font-variant-numeric: tabular-nums;
      background: var(--sunk); color: var(--ink);
    }
    .score-number.high { background: var(--good-tint); color: var(--good); }
    .score-number.middle { background: var(--tint); color: var(--accent); }
    .score-text { font-size: .9375rem; }
    .card details { border-top: 1px solid var(--line); font-size: .9375rem; }
    .card-foot {
      margin-top: auto; display: grid; gap: .5rem; border-top: 1px solid var(--line);
      padding-top: .625rem;
    }
    .card-foot button { font-size: .9375rem; padding: .375rem .875rem; }
    .photos { display: flex; flex-wrap: wrap; gap: .5rem; list-style: none; padding: 0; margin: 0; }
    .card form.draft { display: grid; gap: .75rem; padding-bottom: .5rem; }

    """

  private static let dark = """
    @media (prefers-color-scheme: dark) {
      :root {
        --ground: #141516; --sheet: #1d1f21; --sunk: #292c2f;
        --ink: #ecebe7; --soft: #b3afa7; --line: #3a3d41; --edge: #7d8087;
        --accent: #74d4c5; --on-accent: #06211d; --tint: #173733;
        --good: #86d8a6; --good-tint: #17341f;
        --warn: #f0bd74; --warn-tint: #3a2a10;
        --bad: #ffaba1; --bad-tint: #431d19;
        --shadow: none;
      }
      .photo { background: #f1f0ec; }
      span.photo { background: var(--sunk); }
    }
    @media (prefers-reduced-motion: no-preference) { .skip { transition: top .1s; } }
    @media print { .top, .banner, .foot, form { display: none; } }

    """
}
