/** A pass: a named function from one program form to another. Passes compose with `andThen`; the pipeline is a list of them. */
import * as E from '#fp/Either'
import { pipe } from '#fp/function'

export interface Pass<A, B, Err = never> {
  readonly name: string
  readonly run: (a: A) => E.Either<Err, B>
}

/** First `p`, then `q`. Not called `then`: a module with an export of that name looks like a promise to `import()`. */
export const andThen =
  <B, C, E2>(q: Pass<B, C, E2>) =>
  <A, E1>(p: Pass<A, B, E1>): Pass<A, C, E1 | E2> => ({
    name: `${p.name}; ${q.name}`,
    run: (a) =>
      pipe(
        p.run(a),
        E.flatMap((b): E.Either<E1 | E2, C> => q.run(b)),
      ),
  })
