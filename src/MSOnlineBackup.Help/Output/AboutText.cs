using System.Text;
using MSOnlineBackup.Help.Markdown;
using MSOnlineBackup.Help.Pages;

namespace MSOnlineBackup.Help.Output;

/// <summary>A topic as plain text of at most 80 columns. Code is not wrapped: it could not be copied.</summary>
internal static class AboutText
{
    private const int Width = 80;

    public static string Format(AboutPage page)
    {
        var text = new StringBuilder();
        AppendLine(text, "TOPIC");
        AppendLine(text, "    " + page.Name);
        foreach (MarkdownSection section in page.Sections)
        {
            text.Append('\n');
            AppendLine(text, section.Title);
            Append(text, section.Blocks);
            foreach (MarkdownSection part in section.Sections)
            {
                text.Append('\n');
                AppendLine(text, "  " + PlainText.Of(part.Title));
                Append(text, part.Blocks);
            }
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, List<MarkdownBlock> blocks)
    {
        for (int i = 0; i < blocks.Count; i++)
        {
            if (i > 0 && !(blocks[i] is Bullet && blocks[i - 1] is Bullet))
            {
                text.Append('\n');
            }

            switch (blocks[i])
            {
                case Paragraph paragraph:
                    Wrap(text, PlainText.Of(paragraph.Text), "    ", "    ");
                    break;
                case Bullet bullet:
                    Wrap(text, PlainText.Of(bullet.Text), "    - ", "      ");
                    break;
                case CodeBlock code:
                    foreach (string line in code.Lines)
                    {
                        AppendLine(text, "        " + line);
                    }

                    break;
            }
        }
    }

    private static void Wrap(StringBuilder text, string words, string first, string others)
    {
        string line = first;
        bool isEmpty = true;
        foreach (string word in words.Split(' '))
        {
            if (!isEmpty && line.Length + 1 + word.Length > Width)
            {
                AppendLine(text, line);
                line = others;
                isEmpty = true;
            }

            line += isEmpty ? word : " " + word;
            isEmpty = false;
        }

        AppendLine(text, line);
    }

    private static void AppendLine(StringBuilder text, string line) => text.Append(line.TrimEnd()).Append('\n');
}
