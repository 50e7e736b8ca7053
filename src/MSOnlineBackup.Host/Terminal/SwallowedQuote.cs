namespace MSOnlineBackup.Host.Terminal;

/// <summary>
/// An argument of Windows that took up what was typed after it. In <c>"C:\dir\" --tag x</c> the backslash makes the quotation mark part of the argument, as
/// programs there read their command lines, and all up to the next one is one argument: <c>C:\dir" --tag x</c>.
/// </summary>
internal static class SwallowedQuote
{
    private static readonly string[] _commandOptions = ["--passphrase-command", "--new-passphrase-command"];

    /// <summary>What is wrong with the arguments of a process of Windows; null where nothing is.</summary>
    /// <param name="arguments">The arguments. What comes after <c>--</c> is a program's own, and command lines may have quotation marks.</param>
    /// <param name="commandName">Whose they are, for its help.</param>
    public static Failure? Find(IReadOnlyList<string> arguments, string commandName)
    {
        for (int i = 0; i < arguments.Count && arguments[i] != "--"; i++)
        {
            string argument = arguments[i];
            int quote = argument.IndexOf('"', StringComparison.Ordinal);
            bool isCommandLine =
                _commandOptions.Any(option => argument.StartsWith(option + "=", StringComparison.Ordinal) || (i > 0 && arguments[i - 1] == option));
            if (quote >= 0 && !isCommandLine && IsSwallowed(argument, quote))
            {
                string path = argument[..quote].TrimEnd('\\');
                string typed = path.EndsWith(':') ? $"\"{path}\\\\\"" : $"\"{path}\"";
                return Failure.Usage(
                    $"The argument '{argument}' contains a quotation mark: a backslash right before the closing mark made that mark, "
                        + "and everything after it, part of the argument.", commandName)
                    with
                {
                    Action = $"Write {typed}: no backslash before the closing quotation mark, or two of them.",
                    Target = argument,
                };
            }
        }

        return null;
    }

    // Words may be quoted within an argument; no path has such a mark, and none ends a word.
    private static bool IsSwallowed(string argument, int quote) =>
        quote == argument.Length - 1 || argument[quote + 1] == ' ' || argument.AsSpan(0, quote).ContainsAny('\\', ':', '/');
}
