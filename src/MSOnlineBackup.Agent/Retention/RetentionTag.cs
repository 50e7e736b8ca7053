using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using MSOnlineBackup.Agent.Policies;

namespace MSOnlineBackup.Agent.Retention;

/// <summary>
/// Why a recovery point is kept, as it stands among the point's tags: <c>retain:files:weekly:2027-02-20T21:00:00Z</c>.
/// Given when the point is made, and never changed.
/// </summary>
/// <param name="Policy">The kind of the policy by which it was made.</param>
/// <param name="Kind">By which rule.</param>
/// <param name="Until">Until when, by the policy of that time (UTC, whole seconds). The policy in force goes before it, but where <paramref name="Kind"/> is
/// <see cref="RetentionKind.Asked"/>.</param>
public sealed record RetentionTag(PolicyKind Policy, RetentionKind Kind, DateTimeOffset Until)
{
    private const string Prefix = "retain:";
    private const string DateForm = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    private static readonly (RetentionKind Value, string Text)[] _kinds =
    [
        (RetentionKind.Daily, "daily"), (RetentionKind.Partial, "partial"), (RetentionKind.Weekly, "weekly"),
        (RetentionKind.Monthly, "monthly"), (RetentionKind.Yearly, "yearly"), (RetentionKind.Asked, "asked"),
    ];

    /// <summary>Whether a tag is meant to be one of these, legible or not.</summary>
    public static bool Claims(string tag) => tag.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Reads a tag. False where it is another's, or of a kind that this version does not know.</summary>
    public static bool TryParse(string tag, [NotNullWhen(true)] out RetentionTag? parsed)
    {
        parsed = null;
        string[] parts = tag.Split(':', 4);
        PolicyScope? policy = parts.Length == 4 ? PolicyScope.All.FirstOrDefault(scope => scope.Key == parts[1]) : null;
        int kind = parts.Length == 4 ? Array.FindIndex(_kinds, entry => entry.Text == parts[2]) : -1;
        if (Claims(tag) && policy is not null && kind >= 0
            && DateTimeOffset.TryParseExact(
                parts[3], DateForm, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset until))
        {
            parsed = new RetentionTag(policy.Kind, _kinds[kind].Value, until);
        }

        return parsed is not null;
    }

    /// <summary>As it stands among a point's tags.</summary>
    public override string ToString()
    {
        string policy = PolicyScope.Of(Policy).Key;
        string kind = Array.Find(_kinds, entry => entry.Value == Kind).Text;
        return $"{Prefix}{policy}:{kind}:{Until.UtcDateTime.ToString(DateForm, CultureInfo.InvariantCulture)}";
    }
}
