namespace MSOnlineBackup.Help.Markdown;

/// <summary>Something wrong in a page, in the form that MSBuild takes for an error and editors for a link.</summary>
/// <param name="File">The page.</param>
/// <param name="Line">Where, from 1.</param>
/// <param name="Message">What, and how it should be.</param>
internal sealed record PageError(string File, int Line, string Message)
{
    public override string ToString() => $"{File}({Line}): error HELP: {Message}";
}

/// <summary>Ends the reading of a page at its first error.</summary>
internal sealed class PageException(PageError error) : Exception(error.ToString())
{
    public PageError Error { get; } = error;
}
