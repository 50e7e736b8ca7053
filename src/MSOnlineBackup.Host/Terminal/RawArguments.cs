using System.Text;
using System.Text.Unicode;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Host.Terminal;

/// <summary>
/// The arguments as the shell gave them. The runtime turns bytes that are no UTF-8 into replacement characters, and a file of that name would not be found: on
/// Linux such an argument is read again, and written as paths are shown: <c>\xHH</c> for a byte.
/// </summary>
internal static class RawArguments
{
    private const char Replacement = '\uFFFD';

    /// <summary>The arguments, without loss.</summary>
    public static string[] Restore(string[] arguments)
    {
        const string File = "/proc/self/cmdline";
        return arguments.Any(argument => argument.Contains(Replacement)) && System.IO.File.Exists(File)
            ? Restore(arguments, System.IO.File.ReadAllBytes(File))
            : arguments;
    }

    /// <summary>
    /// The arguments without loss, taken from the kernel's command line of the process: each argument is followed by a NUL, and these come last.
    /// </summary>
    internal static string[] Restore(string[] arguments, ReadOnlySpan<byte> commandLine)
    {
        var raw = new List<byte[]>();
        foreach (Range part in commandLine.TrimEnd((byte)0).Split((byte)0))
        {
            raw.Add(commandLine[part].ToArray());
        }

        // An empty argument at the very end was trimmed with the last NUL.
        for (int i = arguments.Length - 1; i >= 0 && arguments[i].Length == 0; i--)
        {
            raw.Add([]);
        }

        if (raw.Count < arguments.Length)
        {
            return arguments;
        }

        List<byte[]> own = raw[^arguments.Length..];
        return [.. arguments.Select((argument, i) =>
            !Utf8.IsValid(own[i]) && Encoding.UTF8.GetString(own[i]) == argument ? EntryName.Escape(own[i]) : argument)];
    }
}
