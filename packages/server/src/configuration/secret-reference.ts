import * as v from 'valibot';

const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,255}$/;

const env = v.strictObject({
  env: v.pipe(
    v.string(),
    v.regex(ENVIRONMENT_NAME, 'is no name of an environment variable; use letters, digits and _'),
    v.description('Name of an environment variable that holds it.'),
  ),
});
const file = v.strictObject({
  file: v.pipe(
    v.string(),
    v.nonEmpty('is empty; name the file'),
    v.description(
      'Path of a file that holds it, from the directory of the configuration file. Read again when it changes.',
    ),
  ),
});
const sealed = v.strictObject({
  sealed: v.pipe(
    v.string(),
    v.regex(
      /^v1\.[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/,
      'is not what caracal seal prints; seal it again',
    ),
    v.description('What `caracal seal` made of it.'),
  ),
});

/** What is said of anything else, so that no secret is quoted or taken for one. */
const NO_LITERAL =
  'is not where a secret is kept; a secret never stands in the file itself: give { "env": "NAME" }, { "file": "PATH" }';

/** Where a secret is kept. */
export const secretReference = v.union([env, file, sealed], `${NO_LITERAL} or { "sealed": "..." }`);

/** Where a secret is kept that opens others, or that is no provider's: it cannot be sealed. */
export const plainReference = v.union([env, file], NO_LITERAL);

/** How an application proves who it is: its secret, or what `hashSecret` made of it, which is none. */
export const applicationSecret = v.union(
  [
    env,
    file,
    sealed,
    v.strictObject({ hash: v.pipe(v.string(), v.description('What hashSecret() of @caracal/sts made of it.')) }),
  ],
  `${NO_LITERAL}, { "sealed": "..." } or { "hash": "..." }`,
);
