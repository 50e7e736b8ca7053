using System.Globalization;
using System.Management.Automation;

namespace MSOnlineBackup.Completion;

/// <summary>Takes times as people write them, 90m, 12h, 1d or 2w, beside those of <see cref="TimeSpan"/>. A bare number, which PowerShell would take for ticks, is refused.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class DurationTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        // PowerShell reads 1d as a decimal number; what was typed is still there.
        object? given = inputData is PSObject { BaseObject: TimeSpan time } ? time : inputData;
        if (given is null or TimeSpan)
        {
            return given;
        }

        string text = (given.ToString() ?? "").Trim();
        if (text is [.. var digits, 'm' or 'M' or 'h' or 'H' or 'd' or 'D' or 'w' or 'W'] && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int count))
        {
            return (text[^1] | ' ') switch
            {
                'm' => TimeSpan.FromMinutes(count),
                'h' => TimeSpan.FromHours(count),
                'd' => TimeSpan.FromDays(Math.Min(count, 10_000_000)),
                _ => TimeSpan.FromDays(7L * Math.Min(count, 1_000_000)),
            };
        }

        return text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan parsed)
            ? parsed
            : throw new ArgumentTransformationMetadataException($"'{text}' is no time. Write it as 90m, 12h, 1d or 2w, or as '1.12:00:00'.");
    }
}
