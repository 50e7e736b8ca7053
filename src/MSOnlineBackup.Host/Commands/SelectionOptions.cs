using System.CommandLine;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Host.Rendering;

namespace MSOnlineBackup.Host.Commands;

/// <summary>The options that say what of a folder is taken.</summary>
internal sealed class SelectionOptions
{
    private readonly Option<string[]> _exclude = new("--exclude")
    {
        HelpName = "PATTERN",
        Description = "Leave out what matches: * ? [a-z] within a name, ** across folders. A pattern with a leading / matches the full path; with an inner /, "
            + "the path relative to the source; otherwise, a name anywhere. With a trailing /, it matches folders only. May be repeated.",
    };

    private readonly Option<string[]> _excludeFile = new("--exclude-file")
    {
        HelpName = "FILE",
        Description =
            "Read patterns from a file, one per line. Empty lines, lines that begin with #, and blanks at the end of a line are ignored. May be repeated.",
    };

    private readonly Option<bool> _excludeCaches = new("--exclude-caches")
    {
        Description = "Leave out folders that a CACHEDIR.TAG file marks as caches.",
        Arity = ArgumentArity.Zero,
    };

    private readonly Option<string?> _excludeLargerThan = new("--exclude-larger-than")
    {
        HelpName = "SIZE",
        Description = "Leave out files larger than this, in bytes or with a unit: K, M, G, T (binary, as are KiB, …) or KB, MB, … (decimal).",
    };

    private readonly Option<bool> _nonRecursive = new("--non-recursive")
    {
        Description = "Do not enter subfolders of the named folders.",
        Arity = ArgumentArity.Zero,
    };

    private readonly Option<bool> _crossMountPoints = new("--cross-mount-points")
    {
        Description = "Enter other file systems mounted below the named folders. By default they are left out; proc, sysfs and the like always are.",
        Arity = ArgumentArity.Zero,
    };

    public SelectionOptions(Command command)
    {
        command.Add(_exclude);
        command.Add(_excludeFile);
        command.Add(_excludeCaches);
        command.Add(_excludeLargerThan);
        command.Add(_nonRecursive);
        command.Add(_crossMountPoints);
    }

    /// <summary>What was selected.</summary>
    public SourceSelection Read(CommandContext context) => new()
    {
        Exclude = [.. context.Get(_exclude), .. context.Get(_excludeFile).SelectMany(file => ReadPatterns(context, file))],
        ExcludeCaches = context.Has(_excludeCaches),
        ExcludeLargerThan = context.Get(_excludeLargerThan) is { } size ? ParseSize(context, size) : null,
        NonRecursive = context.Has(_nonRecursive),
        CrossMountPoints = context.Has(_crossMountPoints),
    };

    private static IEnumerable<string> ReadPatterns(CommandContext context, string file)
    {
        try
        {
            return PatternLines.Read(File.ReadAllBytes(file)).Select(TrimEnd).Where(line => line.Length > 0 && !line.StartsWith('#'));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw context.Invalid($"The file of patterns '{file}' cannot be read: {e.Message}", "Check the path after --exclude-file.", file);
        }
    }

    // As in .gitignore: blanks at the end do not count, unless a backslash stands before them.
    private static string TrimEnd(string line)
    {
        string trimmed = line.TrimEnd(' ', '\t', '\r');
        int backslashes = trimmed.Length - trimmed.TrimEnd('\\').Length;
        return trimmed.Length < line.Length && backslashes % 2 == 1 && !OperatingSystem.IsWindows() ? trimmed + line[trimmed.Length] : trimmed;
    }

    public static long ParseSize(CommandContext context, string text) => Quantity.TryParseSize(text, out long bytes)
        ? bytes
        : throw context.Invalid($"'{text}' is not a size.", "Write a number with an optional unit, for example 500M or 1.5GiB.", text);
}
