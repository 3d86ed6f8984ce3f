/**
 * Holds the SQL that the embedded server needs for itself. It runs none of it.
 * Values are quoted here, because single-user mode takes no parameters.
 */

/** Sets a role's password. The role's name must need no quotes. */
export function rolePasswordSet(role: string, password: string): string {
  return `ALTER ROLE ${role} PASSWORD '${password.replaceAll("'", "''")}'`;
}
