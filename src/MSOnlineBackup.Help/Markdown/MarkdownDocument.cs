namespace MSOnlineBackup.Help.Markdown;

/// <summary>A page as its headings structure it.</summary>
/// <param name="File">Its path, for messages.</param>
/// <param name="FrontMatter">The lines <c>key: value</c> between the dashes at its beginning; empty where there are none.</param>
/// <param name="Root">What its only heading of the first level holds.</param>
internal sealed record MarkdownDocument(string File, IReadOnlyDictionary<string, string> FrontMatter, MarkdownSection Root)
{
    public PageException Fault(int line, string message) => new(new PageError(File, line, message));
}

/// <summary>A heading and what is below it.</summary>
/// <param name="Line">Where it is.</param>
/// <param name="Level">1 to 3.</param>
/// <param name="Title">Its text.</param>
/// <param name="Blocks">What stands directly below it.</param>
/// <param name="Sections">The sections one level below.</param>
internal sealed record MarkdownSection(int Line, int Level, string Title, List<MarkdownBlock> Blocks, List<MarkdownSection> Sections);

/// <summary>A piece of text between headings.</summary>
internal abstract record MarkdownBlock(int Line);

/// <summary>Lines that belong together, as one.</summary>
internal sealed record Paragraph(int Line, string Text) : MarkdownBlock(Line);

/// <summary>An item of a list.</summary>
internal sealed record Bullet(int Line, string Text) : MarkdownBlock(Line);

/// <summary>Lines between fences.</summary>
internal sealed record CodeBlock(int Line, string Language, IReadOnlyList<string> Lines) : MarkdownBlock(Line);
