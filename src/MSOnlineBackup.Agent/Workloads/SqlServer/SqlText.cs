using System.Text;

namespace MSOnlineBackup.Agent.Workloads.SqlServer;

/// <summary>
/// Text in Transact-SQL. Names never stand in a statement itself, but are values of variables: sqlcmd looks for commands and variables of its own even within quotes, so what is not plain is written as
/// its bytes.
/// </summary>
internal static class SqlText
{
    /// <summary>A text as an expression: <c>N'it''s'</c>, or the bytes of its UTF-16.</summary>
    public static string Literal(string text) => text.All(each => each is >= ' ' and <= '~') && !text.Contains("$(", StringComparison.Ordinal)
        ? "N'" + text.Replace("'", "''", StringComparison.Ordinal) + "'"
        : $"CAST(0x{Hex(text)} AS nvarchar(4000))";

    /// <summary>A text as the digits of its UTF-16, which is how the server answers names.</summary>
    public static string Hex(string text) => Convert.ToHexString(Encoding.Unicode.GetBytes(text));

    /// <summary>The text of such digits; null where they are none, or those of no UTF-16.</summary>
    public static string? FromHex(string digits)
    {
        if (digits.Length % 4 != 0 || !digits.All(char.IsAsciiHexDigit))
        {
            return null;
        }

        return Encoding.Unicode.GetString(Convert.FromHexString(digits));
    }

    /// <summary>An expression that is such digits of a name.</summary>
    public static string HexOf(string expression) => $"CONVERT(varchar(512), CONVERT(varbinary(256), CONVERT(nvarchar(128), {expression})), 2)";

    /// <summary>A text within a comment to the line's end.</summary>
    public static string Comment(string text) => new([.. text.Select(each => each is >= ' ' and <= '~' and not '$' ? each : '?')]);
}
